/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_staprun - stands in for staprun and a module of timethief's: waits, begins and ends as its control file says, writes
 * the packets of two CPUs, and says what FAKE_WORDS tells it to.
 *
 *   staprun -b MB -o OUT FILE.ko NAME=VALUE...      staprun -d NAME
 *
 * TIMETHIEF_STAP_PROC  where systemtap/NAME/status and control are made
 * FAKE_LOG             gets the command line, and at the end "switches=N packets=N"
 * FAKE_WORDS           said on stderr at the start (with FAKE_STATUS: and that is all), or at the end
 * FAKE_STATUS          exit status at once, no data
 * FAKE_STREAM          ok, gap, text, cut, garbage, die, shed
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../../bpf/event.h"

enum { NR_CPUS = 2, TICK_US = 20000, SWITCHES_A_TICK = 10 };

static volatile sig_atomic_t got_term;
static char dir[512];
static int out_fds[NR_CPUS];
static uint32_t sequence;
static uint64_t nr_told, nr_packets;

static struct cpu {
	uint64_t last_ns, nr_switches, wait_total_ns, nr_shed;
	uint32_t tid;
} cpus[NR_CPUS];

static void on_term(int sig)
{
	got_term = sig;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static const char *env(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && value[0] ? value : otherwise;
}

static int is_stream(const char *name)
{
	return !strcmp(env("FAKE_STREAM", "ok"), name);
}

static void append_log(const char *text)
{
	FILE *log = fopen(env("FAKE_LOG", "/dev/null"), "a");

	if (log) {
		fprintf(log, "%s\n", text);
		fclose(log);
	}
}

static void put_status(const char *state)
{
	char path[600], beside[640];
	FILE *file;

	snprintf(path, sizeof(path), "%s/status", dir);
	snprintf(beside, sizeof(beside), "%s.new", path);
	file = fopen(beside, "w");
	if (!file)
		return;
	fprintf(file, "state=%s steal=tick disk=block_rq_complete runq=sched_info lost_task_state=3\n",
		state);
	fclose(file);
	rename(beside, path);
}

static int was_told(const char *word)
{
	char path[600], text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/control", dir);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return !strncmp(text, word, strlen(word));
}

static void put(int fd, const void *bytes, size_t len)
{
	if (write(fd, bytes, len) != (ssize_t)len && errno == EPIPE)
		got_term = SIGPIPE;
}

static void put_packet(unsigned cpu, const void *payload, uint32_t len)
{
	uint32_t head[2] = { ++sequence, len };

	if (is_stream("gap") && sequence % 7 == 3)
		return; /* lost on the way */
	if (is_stream("cut") && sequence % 7 == 3) {
		put(out_fds[cpu], head, sizeof(head));
		put(out_fds[cpu], payload, len / 2);
		return;
	}
	if (is_stream("text") && sequence % 5 == 0)
		put(out_fds[cpu], "WARNING: where no text belongs\n", 31);
	put(out_fds[cpu], head, sizeof(head));
	put(out_fds[cpu], payload, len);
	nr_packets++;
}

static void put_task(unsigned cpu, uint32_t tid, const char *comm)
{
	struct {
		struct tt_batch head;
		struct tt_task task;
	} b = { .head = { .size = sizeof(b),
			  .cpu = (uint16_t)cpu,
			  .stream = TT_STREAM_RECORDS,
			  .version = TT_WIRE_VERSION,
			  .base_ts_ns = now_ns(),
			  .nr_records = 1 } };

	b.task.rec = (struct tt_record){
		.size = sizeof(b.task), .kind = TT_EV_TASK, .cpu = cpu, .ts_ns = b.head.base_ts_ns
	};
	b.task.tid = b.task.pid = tid;
	b.task.why = TT_TASK_AT_START;
	strncpy(b.task.comm, comm, sizeof(b.task.comm) - 1);
	put_packet(cpu, &b, sizeof(b));
}

static void put_switches(unsigned nr, unsigned flags)
{
	struct cpu *c = &cpus[nr];
	unsigned count = flags & TT_BATCH_FIRST ? 0 : SWITCHES_A_TICK;
	uint64_t now = now_ns();
	struct {
		struct tt_batch head;
		struct tt_switch records[SWITCHES_A_TICK];
	} b = { .head = { .cpu = (uint16_t)nr, .stream = TT_STREAM_SCHED, .version = TT_WIRE_VERSION } };

	if (flags & TT_BATCH_FIRST)
		c->last_ns = now;
	if (is_stream("shed") && !flags && now / 1000000 % 3 == 0) {
		c->nr_switches += count;
		c->nr_shed += count;
		c->last_ns = now;
		return;
	}
	b.head.size = (uint32_t)(sizeof(b.head) + count * sizeof(b.records[0]));
	b.head.base_ts_ns = c->last_ns;
	b.head.nr_switches = c->nr_switches;
	b.head.wait_total_ns = c->wait_total_ns;
	b.head.nr_shed_switches = c->nr_shed;
	b.head.prev_tid = c->tid;
	b.head.nr_records = (uint16_t)count;
	b.head.flags = (uint16_t)flags;
	for (unsigned i = 0; i < count; i++) {
		struct tt_switch *sw = &b.records[i];
		uint64_t at = c->last_ns + (now - c->last_ns) / (count - i);

		c->tid = c->tid ? 0 : 70000 + nr;
		sw->dts_ns = (uint32_t)(at - c->last_ns);
		sw->seq = (uint16_t)++c->nr_switches;
		sw->next_tid = c->tid;
		sw->wait_ns = c->tid ? 50000 : 0;
		sw->queued_cpu = TT_CPU_NONE;
		c->wait_total_ns += sw->wait_ns;
		c->last_ns = at;
	}
	nr_told += count;
	put_packet(nr, &b, b.head.size);
}

static void remove_files(void)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/control", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/status", dir);
	unlink(path);
	rmdir(dir);
}

static void run(void)
{
	uint64_t nr_ticks = 0;

	for (unsigned cpu = 0; cpu < NR_CPUS; cpu++) {
		put_task(cpu, 70000 + cpu, cpu ? "fake-b" : "fake-a");
		put_switches(cpu, TT_BATCH_FIRST);
	}
	put_status("recording");
	while (!got_term && !was_told("end")) {
		usleep(TICK_US);
		for (unsigned cpu = NR_CPUS; cpu-- > 0;) /* the later one first: the streams must be merged */
			put_switches(cpu, 0);
		if (is_stream("garbage")) {
			char bytes[4096];

			memset(bytes, 'g', sizeof(bytes));
			for (int i = 0; i < 600 && !got_term; i++)
				put(out_fds[0], bytes, sizeof(bytes));
		}
		if (is_stream("die") && ++nr_ticks > 25) {
			fprintf(stderr, "%s\n", env("FAKE_WORDS", ""));
			remove_files();
			exit(1);
		}
	}
	for (unsigned cpu = 0; cpu < NR_CPUS; cpu++)
		put_switches(cpu, TT_BATCH_LAST);
	put_status("ended");
}

static void make_files(const char *module)
{
	char path[600], name[64];
	const char *slash = strrchr(module, '/');
	FILE *control;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(slash ? slash + 1 : module, "."),
		 slash ? slash + 1 : module);
	snprintf(path, sizeof(path), "%s/systemtap", env("TIMETHIEF_STAP_PROC", "/nonexistent"));
	mkdir(path, 0755);
	snprintf(dir, sizeof(dir), "%.400s/%s", path, name);
	mkdir(dir, 0755);
	snprintf(path, sizeof(path), "%s/control", dir);
	control = fopen(path, "w");
	if (control)
		fclose(control);
	put_status("waiting");
}

static void log_args(int argc, char **argv)
{
	FILE *log = fopen(env("FAKE_LOG", "/dev/null"), "a");

	for (int i = 1; log && i < argc; i++)
		fprintf(log, "%s%s", i > 1 ? " " : "args: ", argv[i]);
	if (log) {
		fputc('\n', log);
		fclose(log);
	}
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_term };
	const char *out = NULL, *module = NULL;
	char text[256];

	log_args(argc, argv);
	if (argc > 2 && !strcmp(argv[1], "-d"))
		return 0;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-o") && i + 1 < argc)
			out = argv[++i];
		else if (!strcmp(argv[i], "-b"))
			i++;
		else if (!module && strstr(argv[i], ".ko"))
			module = argv[i];
	}
	if (getenv("FAKE_STATUS")) {
		fprintf(stderr, "%s\n", env("FAKE_WORDS", ""));
		return atoi(getenv("FAKE_STATUS"));
	}
	if (!out || !module)
		return 2;
	sigaction(SIGTERM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (unsigned cpu = 0; cpu < NR_CPUS; cpu++) {
		snprintf(text, sizeof(text), "%s_%u", out, cpu);
		out_fds[cpu] = open(text, O_CREAT | O_TRUNC | O_WRONLY, 0666); /* as stapio does */
		if (out_fds[cpu] < 0) {
			fprintf(stderr, "ERROR: Couldn't open output file %s\n", text);
			return 1;
		}
	}
	make_files(module);
	while (!got_term && !was_told("begin"))
		usleep(5000);
	if (!got_term)
		run();
	while (!got_term)
		usleep(5000);
	if (!is_stream("die"))
		fprintf(stderr, "%s", env("FAKE_WORDS", ""));
	remove_files();
	snprintf(text, sizeof(text), "switches=%llu packets=%llu signal=%d", (unsigned long long)nr_told,
		 (unsigned long long)nr_packets, got_term);
	append_log(text);
	return 0;
}
