/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/session/host.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURES "tests/fixtures/proc/"

static char root[] = "/tmp/tt-host-XXXXXX";

static void put_file(const char *dir, const char *name, const char *text)
{
	char command[512], path[256];
	FILE *f;

	snprintf(command, sizeof(command), "mkdir -p %s/%s", root, dir);
	cr_assert(eq(int, system(command), 0));
	snprintf(path, sizeof(path), "%s/%s/%s", root, dir, name);
	f = fopen(path, "w");
	cr_assert(f != NULL);
	fputs(text, f);
	fclose(f);
}

static void setup(void)
{
	strcpy(root, "/tmp/tt-host-XXXXXX");
	cr_assert(mkdtemp(root) != NULL);
}

static void teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", root);
	cr_expect(eq(int, system(command), 0));
}

TestSuite(host, .init = setup, .fini = teardown);

static struct tt_info fill(void)
{
	struct tt_info info = { 0 };

	tt_info_fill_host(&info, root);
	return info;
}

Test(host, a_real_guest)
{
	struct tt_info info = { 0 };
	char why[160];

	tt_info_fill_host(&info, FIXTURES "kvm-2cpu/t0");
	cr_expect(eq(str, info.hypervisor, "KVM"));
	cr_expect(info.steal_reported, "its stat has some");
	cr_expect(eq(u32, info.nr_cpus_possible, 2));
	cr_expect(eq(str, info.kernel_release, "6.18.44"));
	cr_expect(tt_host_steal_support(FIXTURES "kvm-2cpu/t0", "KVM", why, sizeof(why)) ==
		  TT_STEAL_REPORTED);
}

Test(host, an_x86_without_the_flag_has_no_hypervisor_whoever_made_it)
{
	char why[160];

	put_file("proc", "cpuinfo", "processor\t: 0\nflags\t\t: fpu vme\n");
	put_file("sys/class/dmi/id", "sys_vendor", "Google\n");
	cr_expect(eq(str, fill().hypervisor, "none"));
	cr_expect(not(fill().steal_reported));
	cr_expect(tt_host_steal_support(root, "none", why, sizeof(why)) == TT_STEAL_NOT_REPORTED);
}

Test(host, xen_is_told_by_sysfs_even_without_the_flag)
{
	put_file("proc", "cpuinfo", "processor\t: 0\nflags\t\t: fpu vme\n");
	put_file("sys/hypervisor", "type", "xen\n");
	cr_expect(eq(str, fill().hypervisor, "Xen"));
	cr_expect(fill().steal_reported);
}

Test(host, the_kernels_clock_tells_where_cpuid_is_not_the_guests)
{
	char why[160];

	put_file("proc", "cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor\n");
	put_file("proc", "stat", "cpu0 1 2 3 4 5 6 7 0 0 0\n");
	put_file("sys/class/dmi/id", "sys_vendor", "Microsoft Corporation\n");
	put_file("sys/class/dmi/id", "product_name", "Virtual Machine\n");
	put_file("sys/devices/system/clocksource/clocksource0", "available_clocksource", "kvm-clock tsc\n");
	cr_expect(eq(str, fill().hypervisor, "KVM"));
	cr_expect(tt_host_steal_support(root, "KVM", why, sizeof(why)) == TT_STEAL_UNKNOWN, "CPUID was not asked");
}

Test(host, hyper_v_and_vmware_by_vendor)
{
	put_file("proc", "cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor\n");
	put_file("sys/class/dmi/id", "sys_vendor", "Microsoft Corporation\n");
	put_file("sys/class/dmi/id", "product_name", "Virtual Machine\n");
	cr_expect(eq(str, fill().hypervisor, "Hyper-V"));
	cr_expect(not(fill().steal_reported));
	put_file("sys/class/dmi/id", "sys_vendor", "VMware, Inc.\n");
	cr_expect(eq(str, fill().hypervisor, "VMware"));
}

Test(host, a_guest_of_nobody_we_know)
{
	char why[160];

	put_file("proc", "cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor\n");
	put_file("proc", "stat", "cpu0 1 2 3 4 5 6 7 0 0 0\n");
	cr_expect(eq(str, fill().hypervisor, "unknown"));
	cr_expect(tt_host_steal_support(root, "unknown", why, sizeof(why)) == TT_STEAL_UNKNOWN);
	put_file("proc", "stat", "cpu0 1 2 3 4 5 6 7 1 0 0\n");
	cr_expect(tt_host_steal_support(root, "unknown", why, sizeof(why)) == TT_STEAL_REPORTED);
}

Test(host, no_steal_acc_switches_it_off)
{
	char why[160];

	put_file("proc", "cmdline", "root=/dev/vda no-steal-acc quiet\n");
	cr_expect(tt_host_steal_support(root, "KVM", why, sizeof(why)) == TT_STEAL_NOT_REPORTED);
	cr_expect(strstr(why, "no-steal-acc") != NULL);
}

Test(host, an_empty_root_fills_what_it_can)
{
	struct tt_info info = fill();

	cr_expect(eq(str, info.hypervisor, "unknown"));
	cr_expect(ge(u32, info.nr_cpus_online, 1));
	cr_expect(gt(u32, info.user_hz, 0));
	cr_expect(gt(i64, info.realtime_offset_ns, 0));
}

Test(host, containers)
{
	char name[32] = "";

	cr_expect(not(tt_host_container(root, name, sizeof(name))));
	put_file("proc/1", "cgroup", "0::/docker/3fa1\n");
	cr_expect(tt_host_container(root, name, sizeof(name)));
	cr_expect(eq(str, name, "docker"));
	put_file("run/systemd", "container", "lxc\n");
	cr_expect(tt_host_container(root, name, sizeof(name)));
	cr_expect(eq(str, name, "lxc"));
}

Test(host, cpu_lists)
{
	put_file("sys/devices/system/cpu", "possible", "0-3,8,10-11\n");
	put_file("sys/devices/system/cpu", "online", "0\n");
	cr_expect(eq(u32, fill().nr_cpus_possible, 7));
	cr_expect(eq(u32, fill().nr_cpus_online, 1));
	put_file("sys/devices/system/cpu", "possible", "5-1,,99999999999999999999-\n");
	cr_expect(ge(u32, fill().nr_cpus_possible, 1), "nonsense: what the C library says");
}
