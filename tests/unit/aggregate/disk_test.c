/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/aggregate/feed.h"

enum { VDA = 253 << 20, VDA1 = 253 << 20 | 1 };
enum { READ = 0, WRITE = 1, FLUSH = 2, DISCARD = 3 };

static struct feed f;

TestSuite(disk);

/* A request that queued for a fifth of its time and was in the device for the rest. */
static void feed_request(unsigned op, uint64_t done_ts_ns, uint64_t total_ns, uint64_t bytes, uint32_t tid)
{
	struct tt_disk rec = {
		.total_ns = total_ns, .bytes = bytes, .dev = VDA, .cmd_flags = op, .tid = tid
	};

	rec.flags = TT_DISK_COUNTED | (op == FLUSH ? TT_DISK_FLUSH : TT_DISK_SECTORS_COUNTED);
	rec.queue_ns = op == FLUSH ? 0 : total_ns / 5;
	rec.device_ns = total_ns - rec.queue_ns;
	feed_record(&f, TT_EV_DISK, 0, done_ts_ns, &rec.rec, rec.flags);
}

struct line { /* of /proc/diskstats, in the file's order */
	uint64_t r_ios, r_merges, r_sectors, r_ms, w_ios, w_merges, w_sectors, w_ms, in_flight, io_ms,
		queue_ms;
	uint64_t d_ios, d_merges, d_sectors, d_ms, f_ios, f_ms;
};

static void feed_line(uint64_t ts_ns, uint32_t dev, const char *name, const struct line *l)
{
	struct tt_disk_counters rec = {
		.dev = dev,
		.in_flight = (tt_u32)l->in_flight,
		.ios = { l->r_ios, l->w_ios, l->d_ios, l->f_ios },
		.merges = { l->r_merges, l->w_merges, l->d_merges },
		.sectors = { l->r_sectors, l->w_sectors, l->d_sectors },
		.ticks_ms = { (tt_u32)l->r_ms, (tt_u32)l->w_ms, (tt_u32)l->d_ms, (tt_u32)l->f_ms },
		.io_ticks_ms = (tt_u32)l->io_ms,
		.time_in_queue_ms = (tt_u32)l->queue_ms,
	};

	memcpy(rec.name, name, strlen(name) + 1);
	feed_record(&f, TT_EV_DISK_COUNTERS, TT_CPU_NONE, ts_ns, &rec.rec, 0);
}

static const struct line t1 = { 1000, 100,   80000, 5000, 2000, 300, 160000, 8000, 0,
				4000, 13000, 10,    1,	  2000, 50,  30,     90 };
static const struct line t2 = { 1100, 150,   90000, 5700, 2040, 310, 161600, 8400, 2,
				4900, 14150, 15,    1,	  2400, 60,  40,     120 };

static double column(const char *key)
{
	return feed_f64(&f, "devices", "sda", key);
}

/* What iostat -x of sysstat 12.6.1 printed for these two lines, two seconds apart. */
static void expect_what_iostat_printed(void)
{
	EXPECT_NEAR(column("r_per_s"), 50.00);
	EXPECT_NEAR(column("r_kb_per_s"), 2500.00);
	EXPECT_NEAR(column("r_merges_per_s"), 25.00);
	EXPECT_NEAR(column("r_merges_pct"), 33.33);
	EXPECT_NEAR(column("r_await_ms"), 7.00);
	EXPECT_NEAR(column("r_areq_kb"), 50.00);
	EXPECT_NEAR(column("w_per_s"), 20.00);
	EXPECT_NEAR(column("w_kb_per_s"), 400.00);
	EXPECT_NEAR(column("w_merges_per_s"), 5.00);
	EXPECT_NEAR(column("w_merges_pct"), 20.00);
	EXPECT_NEAR(column("w_await_ms"), 10.00);
	EXPECT_NEAR(column("w_areq_kb"), 20.00);
	EXPECT_NEAR(column("d_per_s"), 2.50);
	EXPECT_NEAR(column("d_kb_per_s"), 100.00);
	EXPECT_NEAR(column("d_merges_pct"), 0.00);
	EXPECT_NEAR(column("d_await_ms"), 2.00);
	EXPECT_NEAR(column("d_areq_kb"), 40.00);
	EXPECT_NEAR(column("f_per_s"), 5.00);
	EXPECT_NEAR(column("f_await_ms"), 3.00);
	EXPECT_NEAR(column("aqu_sz"), 0.575);
	EXPECT_NEAR(column("util_pct"), 45.00);
}

static void feed_lines(const struct line *a, const struct line *b)
{
	feed_open(&f, "disk", true);
	feed_line(1000 * S, 8 << 20, "sda", a);
	feed_line(1002 * S, 8 << 20, "sda", b);
	feed_finish(&f, 1000 * S, 1002 * S);
}

Test(disk, counters_give_the_columns_of_iostat)
{
	feed_lines(&t1, &t2);
	expect_what_iostat_printed();
	cr_expect(eq(int, feed_cell(&f, "devices", "sda", "busy_pct")->type, TT_CELL_NONE));
	feed_close(&f);
}

Test(disk, counters_of_32_bits_may_wrap)
{
	struct line a = t1, b = t2;

	a.r_ms = 4294967000, b.r_ms = 404;
	a.w_ms = 4294967295, b.w_ms = 399;
	a.io_ms = 4294966796, b.io_ms = 400;
	a.queue_ms = 4294966296, b.queue_ms = 150;
	feed_lines(&a, &b);
	expect_what_iostat_printed();
	feed_close(&f);
}

Test(disk, a_counter_that_goes_back_counts_0_where_iostat_12_6_prints_9223372036854775808)
{
	struct line b = t2;

	b.w_ios = 1990;
	feed_lines(&t1, &b);
	EXPECT_NEAR(column("w_per_s"), 0.00);
	EXPECT_NEAR(column("w_await_ms"), 0.00);
	EXPECT_NEAR(column("r_per_s"), 50.00);
	feed_close(&f);
}

Test(disk, a_device_plugged_in_again_starts_at_0)
{
	static const struct line again = { 10, 5, 800, 57, 4, 1, 16, 8, 0, 30, 65, 1, 0, 24, 1, 2, 3 };

	feed_lines(&t1, &again);
	EXPECT_NEAR(column("r_per_s"), 5.00);
	EXPECT_NEAR(column("r_kb_per_s"), 200.00);
	EXPECT_NEAR(column("r_await_ms"), 5.70);
	EXPECT_NEAR(column("util_pct"), 1.50);
	feed_close(&f);
}

Test(disk, a_device_that_comes_later_counts_from_0)
{
	static const struct line fresh = { .r_ios = 40, .r_sectors = 320, .r_ms = 20, .io_ms = 500 };

	feed_open(&f, "disk", true);
	feed_line(1000 * S, 8 << 20, "sda", &t1);
	feed_line(1002 * S, 8 << 20, "sda", &t1);
	feed_line(1002 * S, 9 << 20, "vdb", &fresh);
	feed_finish(&f, 1000 * S, 1002 * S);
	EXPECT_NEAR(feed_f64(&f, "devices", "vdb", "r_per_s"), 20);
	EXPECT_NEAR(feed_f64(&f, "devices", "vdb", "util_pct"), 25);
	feed_close(&f);
}

Test(disk, a_device_that_was_away_for_a_reading_counts_from_0)
{
	static const struct line before = { .r_ios = 10, .r_sectors = 80, .io_ms = 500 };
	static const struct line after = { .r_ios = 40, .r_sectors = 320, .io_ms = 200 };

	feed_open(&f, "disk", true);
	feed_line(1000 * S, 8 << 20, "sda", &t1);
	feed_line(1000 * S, 9 << 20, "vdb", &before);
	feed_next(&f);
	feed_line(1001 * S, 8 << 20, "sda", &t1);
	feed_finish(&f, 1000 * S, 1001 * S);
	cr_expect(eq(u32, feed_table(&f, "devices")->nr_rows, 0));
	feed_next(&f);
	feed_line(1002 * S, 8 << 20, "sda", &t1);
	feed_line(1002 * S, 9 << 20, "vdb", &after);
	feed_finish(&f, 1001 * S, 1002 * S);
	EXPECT_NEAR(feed_f64(&f, "devices", "vdb", "r_per_s"), 40);
	EXPECT_NEAR(feed_f64(&f, "devices", "vdb", "util_pct"), 20);
	feed_close(&f);
}

Test(disk, devices_without_requests_are_left_out_unless_named)
{
	feed_lines(&t1, &t1);
	cr_expect(eq(u32, feed_table(&f, "devices")->nr_rows, 0));
	feed_close(&f);
	memset(&f, 0, sizeof(f));
	f.view.device = "/dev/sda";
	feed_lines(&t1, &t1);
	EXPECT_NEAR(column("r_per_s"), 0.00);
	feed_close(&f);
}

Test(disk, classic_columns_are_those_of_2013)
{
	f.view.classic = true;
	feed_lines(&t1, &t2);
	EXPECT_NEAR(column("r_merges_per_s"), 25.00);
	EXPECT_NEAR(column("avgrq_sectors"), 11600.0 / 140);
	EXPECT_NEAR(column("avgqu_sz"), 0.575);
	EXPECT_NEAR(column("await_ms"), 1100.0 / 140);
	EXPECT_NEAR(column("svctm_ms"), 450.0 / 70);
	EXPECT_NEAR(column("util_pct"), 45.00);
	feed_close(&f);
}

/* 10 reads of 4 KiB, 1 ms each, the first five at the same time; 2 writes of 8 KiB of 4 ms; a flush of 2 ms.
 * 1 s. */
static void feed_requests(void)
{
	feed_device(&f, VDA, "vda", false);
	for (unsigned i = 0; i < 5; i++)
		feed_request(READ, 10 * S + 100 * MS, MS, 4096, 1);
	for (unsigned i = 0; i < 5; i++)
		feed_request(READ, 10 * S + 200 * MS + i * 10 * MS, MS, 4096, 2);
	for (unsigned i = 0; i < 2; i++)
		feed_request(WRITE, 10 * S + 500 * MS + i * 2 * MS, 4 * MS, 8192, 2);
	feed_request(FLUSH, 10 * S + 600 * MS, 2 * MS, 0, 2);
}

Test(disk, a_request_whose_parts_are_not_its_total_is_counted)
{
	struct tt_disk d = {
		.dev = VDA, .cmd_flags = READ, .bytes = 4096, .flags = TT_DISK_COUNTED, .total_ns = MS
	};

	feed_open(&f, "disk", false);
	feed_requests();
	d.queue_ns = MS / 4;
	d.device_ns = MS / 4;
	feed_record(&f, TT_EV_DISK, 0, 10 * S + 700 * MS, &d.rec, d.flags);
	/* adds up modulo 2^64 only */
	d.queue_ns = 2 * MS;
	d.device_ns = -(uint64_t)MS;
	feed_record(&f, TT_EV_DISK, 0, 10 * S + 701 * MS, &d.rec, d.flags);
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "split", "vda", "requests"), 15));
	cr_expect(eq(u64, feed_u64(&f, "split", "vda", "split_errors"), 2));
	feed_close(&f);
}

Test(disk, requests_give_the_same_columns_and_exact_busy_time)
{
	feed_open(&f, "disk", false);
	feed_requests();
	feed_finish(&f, 10 * S, 11 * S);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "r_per_s"), 10);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "r_kb_per_s"), 40);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "r_await_ms"), 1);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "w_per_s"), 2);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "w_areq_kb"), 8);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "f_per_s"), 1);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "f_await_ms"), 2);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "aqu_sz"), (10 + 8 + 2) / 1000.0);
	/* 1 ms for five, 5 ms, the writes overlap by half: 6 ms, flush 2 ms */
	cr_expect(eq(u64, feed_u64(&f, "devices", "vda", "busy_ns"), 14 * MS));
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "busy_pct"), 1.4);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "util_pct"), 1.4);
	cr_expect(eq(u64, feed_u64(&f, "latency", "vda", "r_p99_ns"), MS));
	cr_expect(eq(u64, feed_u64(&f, "latency", "vda", "w_max_ns"), 4 * MS));
	cr_expect(eq(u64, feed_u64(&f, "latency", "vda", "queue_max_ns"), 4 * MS / 5));
	cr_expect(eq(u64, feed_u64(&f, "latency", "vda", "svctm_ns"), 14 * MS / 13));
	EXPECT_NEAR(feed_f64(&f, "split", "vda", "queue_pct"), 100 * 3.6 / 20);
	EXPECT_NEAR(feed_f64(&f, "split", "vda", "device_pct"), 100 * 16.4 / 20);
	feed_close(&f);
}

Test(disk, the_stolen_part_is_taken_out_of_the_device_time)
{
	feed_open(&f, "disk", false);
	feed_device(&f, VDA, "vda", false);
	feed_steal(&f, 0, 10 * S + 100 * MS, 6 * MS, 8 * MS, 1);
	feed_request(READ, 10 * S + 100 * MS, 10 * MS, 4096, 1);
	feed_finish(&f, 10 * S, 11 * S);
	EXPECT_NEAR(feed_f64(&f, "split", "vda", "queue_pct"), 20);
	EXPECT_NEAR(feed_f64(&f, "split", "vda", "stolen_pct"), 60);
	EXPECT_NEAR(feed_f64(&f, "split", "vda", "device_pct"), 20);
	cr_assert(feed_finding(&f, "disk-latency") != NULL);
	cr_expect(strstr(feed_finding(&f, "disk-latency")->text,
			 "60 % of their time with the completing CPU stolen") != NULL,
		  "%s", feed_finding(&f, "disk-latency")->text);
	feed_close(&f);
}

Test(disk, shed_requests_are_in_the_totals)
{
	struct tt_disk_sums sums = { .dev = VDA, .group = TT_DISK_READ };

	feed_open(&f, "disk", false);
	feed_requests();
	sums.nr_merges = 10;
	sums.nr_shed = 10;
	sums.shed_bytes = 10 * 8192;
	sums.shed_total_ns = 30 * MS;
	feed_record(&f, TT_EV_DISK_SUMS, TT_CPU_NONE, 10 * S + 700 * MS, &sums.rec, 0);
	feed_finish(&f, 10 * S, 11 * S);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "r_per_s"), 20);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "r_kb_per_s"), 120);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "r_await_ms"), 2);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "r_merges_pct"), 100.0 / 3);
	cr_expect(eq(u64, feed_u64(&f, "devices", "vda", "shed_requests"), 10));
	cr_expect(f.report.sections[0].histograms[0].partial);
	feed_close(&f);
}

Test(disk, what_diskstats_does_not_count_is_not_counted)
{
	struct tt_disk rec = { .total_ns = MS, .device_ns = MS, .bytes = 4096, .dev = VDA };

	feed_open(&f, "disk", false);
	feed_requests();
	rec.flags = TT_DISK_PASSTHROUGH;
	feed_record(&f, TT_EV_DISK, 0, 10 * S + 900 * MS, &rec.rec, rec.flags);
	rec.flags = TT_DISK_SECTORS_COUNTED; /* a FUA write's data part */
	rec.cmd_flags = WRITE;
	feed_record(&f, TT_EV_DISK, 0, 10 * S + 950 * MS, &rec.rec, rec.flags);
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "devices", "vda", "reads"), 10));
	cr_expect(eq(u64, feed_u64(&f, "devices", "vda", "writes"), 2));
	cr_expect(eq(u64, feed_u64(&f, "devices", "vda", "written_bytes"), 2 * 8192 + 4096));
	cr_expect(eq(u64, feed_u64(&f, "devices", "vda", "busy_ns"), 16 * MS));
	feed_close(&f);
}

static void feed_checked(uint64_t reads)
{
	struct line before = { .r_ios = 100, .r_sectors = 800 }, after = before;

	feed_open(&f, "disk", false);
	feed_line(10 * S, VDA, "vda", &before);
	feed_requests();
	after.r_ios += reads;
	after.r_sectors += 80;
	after.w_ios = 2;
	after.w_sectors = 32;
	after.f_ios = 1;
	feed_line(11 * S, VDA, "vda", &after);
	feed_finish(&f, 10 * S, 11 * S);
	cr_assert(eq(u32, f.report.nr_checks, 1));
}

Test(disk, is_exact_to_diskstats_or_says_by_how_much_not)
{
	feed_checked(10);
	cr_expect(eq(str, f.report.checks[0].text, "disk exact to /proc/diskstats (13 requests)"));
	cr_expect(f.report.checks[0].ok);
	feed_close(&f);
	memset(&f, 0, sizeof(f));
	feed_checked(40);
	cr_expect(not(f.report.checks[0].ok));
	cr_expect(strstr(f.report.checks[0].text, "-30 requests") != NULL, "%s", f.report.checks[0].text);
	feed_close(&f);
}

Test(disk, one_that_came_during_the_recording_is_exact_from_0)
{
	static const struct line idle = { .r_ios = 5, .r_sectors = 40 };
	static const struct line after = {
		.r_ios = 10, .r_sectors = 80, .w_ios = 2, .w_sectors = 32, .f_ios = 1, .io_ms = 16
	};

	feed_open(&f, "disk", false);
	feed_line(10 * S, 9 << 20, "sda", &idle);
	feed_requests();
	feed_line(11 * S, 9 << 20, "sda", &idle);
	feed_line(11 * S, VDA, "vda", &after);
	feed_finish(&f, 10 * S, 11 * S);
	cr_assert(eq(u32, f.report.nr_checks, 1));
	cr_expect(eq(str, f.report.checks[0].text, "disk exact to /proc/diskstats (13 requests)"));
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "util_pct"), 1.6);
	feed_close(&f);
}

Test(disk, partitions_have_no_row)
{
	feed_open(&f, "disk", true);
	feed_device(&f, VDA1, "vda1", true);
	feed_line(10 * S, VDA1, "vda1", &t1);
	feed_line(12 * S, VDA1, "vda1", &t2);
	feed_finish(&f, 10 * S, 12 * S);
	cr_expect(eq(u32, feed_table(&f, "devices")->nr_rows, 0));
	feed_close(&f);
}

Test(disk, rows_by_task_add_up)
{
	f.view.by = TT_BY_TASK;
	feed_open(&f, "disk", false);
	feed_task(&f, 10 * S, TT_TASK_AT_START, 1, "dd", 1, 0);
	feed_requests();
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "submitters", "dd 1", "reads"), 5));
	cr_expect(eq(u64, feed_u64(&f, "submitters", "dd 1", "read_bytes"), 5 * 4096));
	cr_expect(eq(u64, feed_u64(&f, "submitters", "tid 2", "reads"), 5));
	cr_expect(eq(u64, feed_u64(&f, "submitters", "tid 2", "writes"), 3), "with the flush");
	feed_close(&f);
}

static void feed_stack(enum tt_by by, const char *device)
{
	const uint32_t dm = 252 << 20;
	struct tt_disk rec = { .total_ns = 2 * MS, .device_ns = 2 * MS, .bytes = 8192, .dev = dm, .tid = 1 };
	struct tt_device stacked = { .dev = dm, .name = "dm-0", .is_stacked = 1 };

	f.view.by = by;
	f.view.device = device;
	feed_open(&f, "disk", false);
	feed_device(&f, VDA, "vda", false);
	feed_record(&f, TT_EV_DEVICE, TT_CPU_NONE, 0, &stacked.rec, 0);
	feed_requests();
	rec.flags = TT_DISK_BIO | TT_DISK_COUNTED | TT_DISK_SECTORS_COUNTED;
	rec.nr_completions = 3;
	feed_record(&f, TT_EV_DISK, 0, 10 * S + 900 * MS, &rec.rec, rec.flags);
	feed_finish(&f, 10 * S, 11 * S);
}

Test(disk, a_bio_counts_once_for_each_of_its_pieces)
{
	feed_stack(TT_BY_DEFAULT, NULL);
	cr_expect(eq(u64, feed_u64(&f, "devices", "dm-0", "reads"), 3));
	cr_expect(eq(u64, feed_u64(&f, "devices", "dm-0", "read_bytes"), 8192));
	EXPECT_NEAR(feed_f64(&f, "devices", "dm-0", "r_await_ms"), 2);
	feed_close(&f);
}

Test(disk, a_flush_that_is_not_of_the_flush_machinery_is_a_read_as_for_the_kernel)
{
	struct tt_disk rec = { .total_ns = MS, .device_ns = MS, .dev = VDA, .cmd_flags = FLUSH };

	feed_open(&f, "disk", false);
	rec.flags = TT_DISK_COUNTED;
	feed_record(&f, TT_EV_DISK, 0, 10 * S + 500 * MS, &rec.rec, rec.flags);
	feed_finish(&f, 10 * S, 11 * S);
	cr_expect(eq(u64, feed_u64(&f, "devices", "253:0", "reads"), 1));
	cr_expect(eq(u64, feed_u64(&f, "devices", "253:0", "flushes"), 0));
	feed_close(&f);
}

Test(disk, submitters_of_a_stack_count_where_it_ends)
{
	feed_stack(TT_BY_TASK, NULL);
	cr_expect(eq(u64, feed_u64(&f, "submitters", "tid 1", "reads"), 5));
	cr_expect(eq(u64, feed_u64(&f, "submitters", "tid 1", "read_bytes"), 5 * 4096));
	cr_expect(eq(u64, feed_u64(&f, "devices", "dm-0", "reads"), 3), "its row is there all the same");
	feed_close(&f);
}

Test(disk, submitters_of_a_named_device_are_its_own)
{
	feed_stack(TT_BY_TASK, "dm-0");
	cr_expect(eq(u32, feed_table(&f, "submitters")->nr_rows, 1));
	cr_expect(eq(u64, feed_u64(&f, "submitters", "tid 1", "reads"), 1), "one bio, whatever its pieces");
	cr_expect(eq(u64, feed_u64(&f, "submitters", "tid 1", "read_bytes"), 8192));
	feed_close(&f);
}

Test(disk, the_next_interval_starts_at_0_and_counts_no_busy_time_twice)
{
	feed_open(&f, "disk", false);
	feed_requests();
	feed_finish(&f, 10 * S, 11 * S);
	feed_next(&f);
	feed_request(READ, 11 * S + 10 * MS, 500 * MS, 4096, 1);
	feed_finish(&f, 11 * S, 12 * S);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "r_per_s"), 1);
	EXPECT_NEAR(feed_f64(&f, "devices", "vda", "r_await_ms"), 500);
	cr_expect(eq(u64, feed_u64(&f, "devices", "vda", "busy_ns"), 10 * MS));
	feed_close(&f);
}

Test(disk, a_cpu_filter_is_said_to_do_nothing_here)
{
	unsigned long mask = 1;
	const struct tt_section *s;

	f.view = (struct tt_view){ .cpu_mask = &mask, .nr_cpu_bits = 64 };
	feed_open(&f, "disk", false);
	feed_requests();
	feed_finish(&f, 10 * S, 11 * S);
	s = &f.report.sections[0];
	cr_assert(eq(u32, s->nr_notes, 1));
	cr_expect(eq(str, s->notes[0].text, "requests belong to no CPU: --cpu leaves them as they are"));
	feed_close(&f);
}
