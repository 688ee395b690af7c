// SPDX-License-Identifier: GPL-2.0-or-later
/* steal_inject - makes the guest's kernel account steal that nobody stole, at a known rate. For tests, in a virtual machine.
 *
 * Puts a clock of its own in the place of the hypervisor's steal clock (pv_steal_clock) and switches steal accounting on. The
 * kernel then looks at it at every tick, as it does at the real one.
 *
 * /sys/kernel/debug/steal_inject/control, written, one command a line:
 *   rate CPU PERMILLE              a constant share of the time
 *   steps CPU PERIOD_US STEP_US    so much at once in every period: what a CPU quota of the host looks like
 *   random CPU MEAN_US STEP_US     STEP_US / 2 to 3 STEP_US / 2 at once, MEAN_US / 2 to 3 MEAN_US / 2 apart
 *   pulse CPU NS                   once; below 0 the clock goes back, as after a live migration
 * rate, steps and random replace each other. Read: a line per CPU with its number, how much was injected, what the kernel has
 * accounted (kernel_cpustat), in ns, and at how many looks it found the clock ahead. The kernel is behind by at most one tick.
 *
 * via=1: compilers inline account_steal_time() into its callers, and then nothing can be attached to it. With this, the function
 * itself is called from where the kernel looks at the clock, in the tick and on the right CPU, and the clock stands still.
 */
#include <linux/debugfs.h>
#include <linux/jump_label.h>
#include <linux/kernel_stat.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/static_call.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

static bool via;
module_param(via, bool, 0444);

/* The clock of one CPU. */
struct fake {
	raw_spinlock_t lock;
	u64 base_ns;	 /* what the kernel knew when we came */
	u64 injected_ns; /* as of last_ts_ns; may be below 0 for a moment, then it wraps */
	u64 last_ts_ns;
	u64 told_ns; /* of injected_ns, at the last look of the CPU itself */
	u64 nr_looks; /* at which there was something to tell */
	u32 permille;
	u32 rest; /* of the last division by 1000 */
	u64 period_ns, step_ns, next_step_ts_ns;
	bool is_random;
	u32 seed;
};
static DEFINE_PER_CPU(struct fake, fakes);

static void (*account_steal)(u64);
static struct static_key *steal_enabled;
static struct static_call_key *clock_key;
static void *clock_trampoline, *real_clock;
static struct dentry *dir;

/* x/2 to 3x/2. xorshift: any numbers will do, the same in every run. */
static u64 around(struct fake *f, u64 x)
{
	f->seed ^= f->seed << 13;
	f->seed ^= f->seed >> 17;
	f->seed ^= f->seed << 5;
	return x / 2 + ((x * (f->seed & 0xffff)) >> 16);
}

static void set_next_step(struct fake *f)
{
	f->next_step_ts_ns += f->is_random ? around(f, f->period_ns) : f->period_ns;
}

/* Up to now. The caller holds the lock. */
static void advance(struct fake *f)
{
	u64 now_ns = ktime_get_mono_fast_ns();
	u64 share;

	if (now_ns <= f->last_ts_ns)
		return;
	share = (now_ns - f->last_ts_ns) * f->permille + f->rest;
	f->injected_ns += share / 1000;
	f->rest = share % 1000;
	f->last_ts_ns = now_ns;
	while (f->period_ns && f->next_step_ts_ns <= now_ns) {
		f->injected_ns += f->is_random ? around(f, f->step_ns) : f->step_ns;
		set_next_step(f);
	}
}

static u64 fake_clock(int cpu)
{
	struct fake *f = per_cpu_ptr(&fakes, cpu);
	unsigned long flags;
	u64 clock_ns, untold_ns = 0;

	raw_spin_lock_irqsave(&f->lock, flags);
	advance(f);
	clock_ns = f->base_ns + f->injected_ns;
	if (via)
		clock_ns = f->base_ns;
	if (cpu == raw_smp_processor_id()) {
		untold_ns = f->injected_ns - f->told_ns;
		f->told_ns = f->injected_ns;
		f->nr_looks += untold_ns != 0;
	}
	raw_spin_unlock_irqrestore(&f->lock, flags);
	if (via && cpu == raw_smp_processor_id())
		account_steal(untold_ns);
	return clock_ns;
}

static int run_command(char *line)
{
	unsigned int cpu;
	unsigned long long a, b = 0;
	long long ns = 0;
	unsigned long flags;
	char what[8];
	struct fake *f;

	if (sscanf(line, "%7s %u %lld", what, &cpu, &ns) != 3 || cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return -EINVAL;
	a = ns;
	if ((!strcmp(what, "steps") || !strcmp(what, "random")) && sscanf(line, "%*s %*u %*u %llu", &b) != 1)
		return -EINVAL;
	f = per_cpu_ptr(&fakes, cpu);
	raw_spin_lock_irqsave(&f->lock, flags);
	advance(f);
	if (!strcmp(what, "pulse")) {
		f->injected_ns += ns;
	} else {
		f->permille = !strcmp(what, "rate") ? a : 0;
		f->is_random = !strcmp(what, "random");
		f->period_ns = b ? a * NSEC_PER_USEC : 0;
		f->step_ns = b * NSEC_PER_USEC;
		f->next_step_ts_ns = f->last_ts_ns;
		set_next_step(f);
	}
	raw_spin_unlock_irqrestore(&f->lock, flags);
	return 0;
}

static ssize_t control_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	char text[256], *rest = text, *line;
	int err;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;
	text[size] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		err = *line ? run_command(line) : 0;
		if (err)
			return err;
	}
	return size;
}

static int control_show(struct seq_file *s, void *unused)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct fake *f = per_cpu_ptr(&fakes, cpu);
		unsigned long flags;
		u64 injected_ns, nr_looks;

		raw_spin_lock_irqsave(&f->lock, flags);
		advance(f);
		injected_ns = f->injected_ns;
		nr_looks = f->nr_looks;
		raw_spin_unlock_irqrestore(&f->lock, flags);
		seq_printf(s, "%d %llu %llu %llu\n", cpu, injected_ns, kcpustat_cpu(cpu).cpustat[CPUTIME_STEAL], nr_looks);
	}
	return 0;
}

static int control_open(struct inode *inode, struct file *file)
{
	return single_open(file, control_show, NULL);
}

static const struct file_operations control_ops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.read = seq_read,
	.write = control_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* None of what we need is exported; kallsyms_lookup_name itself is found by a kprobe that is placed on it. */
static int find_symbols(void)
{
	struct kprobe kp = { .symbol_name = "kallsyms_lookup_name" };
	unsigned long (*lookup)(const char *);
	int err = register_kprobe(&kp);

	if (err)
		return err;
	lookup = (void *)kp.addr;
	unregister_kprobe(&kp);
	steal_enabled = (void *)lookup("paravirt_steal_enabled");
	clock_key = (void *)lookup("__SCK__pv_steal_clock");
	clock_trampoline = (void *)lookup("__SCT__pv_steal_clock");
	account_steal = (void *)lookup("account_steal_time");
	return steal_enabled && clock_key && clock_trampoline && account_steal ? 0 : -ENOENT;
}

static int __init steal_inject_init(void)
{
	int cpu, err = find_symbols();

	if (err) {
		pr_err("steal_inject: this kernel lacks a symbol that is needed\n");
		return err;
	}
	if (static_key_count(steal_enabled)) {
		pr_err("steal_inject: there is a real steal clock already\n");
		return -EBUSY;
	}
	for_each_possible_cpu(cpu) {
		struct fake *f = per_cpu_ptr(&fakes, cpu);

		raw_spin_lock_init(&f->lock);
		/* the kernel adds what the clock is ahead of what it has: from there on */
		f->base_ns = kcpustat_cpu(cpu).cpustat[CPUTIME_STEAL];
		f->last_ts_ns = ktime_get_mono_fast_ns();
		f->seed = 2463534242u + cpu;
	}
	dir = debugfs_create_dir("steal_inject", NULL);
	debugfs_create_file("control", 0600, dir, NULL, &control_ops);
	real_clock = clock_key->func;
	__static_call_update(clock_key, clock_trampoline, fake_clock);
	static_key_slow_inc(steal_enabled);
	return 0;
}

static void __exit steal_inject_exit(void)
{
	static_key_slow_dec(steal_enabled);
	__static_call_update(clock_key, clock_trampoline, real_clock);
	synchronize_rcu();
	debugfs_remove_recursive(dir);
}

module_init(steal_inject_init);
module_exit(steal_inject_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Injects steal into a guest of the tests");
