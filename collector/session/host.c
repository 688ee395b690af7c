/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/session/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "collector/source/proc_file.h"
#include "collector/source/proc_parse.h"

/* How a signature, a vendor or a clock source tells the hypervisor. */
struct clue {
	const char *text, *hypervisor;
};

/* The first word found wins: what is told by name before what merely enlightens. */
static const char *match_clue(const struct clue *clues, size_t nr, const char *text)
{
	for (size_t i = 0; i < nr; i++)
		if (strstr(text, clues[i].text))
			return clues[i].hypervisor;
	return NULL;
}
#define MATCH(clues, text) match_clue(clues, sizeof(clues) / sizeof((clues)[0]), text)

enum { KVM_FEATURE_STEAL_TIME = 1 << 5 }; /* Documentation/virt/kvm/x86/cpuid.rst */

/* What CPUID says. Leaves from 0x40000000 are the hypervisor's; one that speaks several dialects repeats them
 * every 0x100. */
struct cpuid_answer {
	bool asked;		/* an x86 CPU, and not somebody else's fixture */
	bool is_guest;		/* leaf 1, ECX bit 31 */
	const char *hypervisor; /* NULL = none that we know */
	unsigned kvm_features;
};

#if defined(__x86_64__) || defined(__i386__)
static void ask_cpuid(struct cpuid_answer *answer)
{
	static const struct clue signatures[] = {
		{ "KVMKVMKVM", "KVM" },	      { "Linux KVM Hv", "KVM" },	{ "XenVMMXenVMM", "Xen" },
		{ "VMwareVMware", "VMware" }, { "VBoxVBoxVBox", "VirtualBox" }, { "bhyve bhyve", "bhyve" },
		{ "TCGTCGTCGTCG", "QEMU" },   { "ACRNACRNACRN", "ACRN" },	{ "Microsoft Hv", "Hyper-V" },
	};
	unsigned eax, ebx, ecx, edx;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return;
	answer->asked = true;
	answer->is_guest = ecx >> 31;
	for (unsigned leaf = 0x40000000; answer->is_guest && leaf < 0x40010000; leaf += 0x100) {
		char signature[13] = "";
		const char *hypervisor;

		__cpuid(leaf, eax, ebx, ecx, edx);
		memcpy(signature, &ebx, 4);
		memcpy(signature + 4, &ecx, 4);
		memcpy(signature + 8, &edx, 4);
		hypervisor = MATCH(signatures, signature);
		/* KVM and Xen can pose as Hyper-V in the first place and tell the truth in the next. */
		if (!hypervisor || (answer->hypervisor && strcmp(answer->hypervisor, "Hyper-V")))
			continue;
		answer->hypervisor = hypervisor;
		if (!strcmp(hypervisor, "KVM")) {
			__cpuid(leaf + 1, eax, ebx, ecx, edx);
			answer->kvm_features = eax;
		}
	}
}
#else
static void ask_cpuid(struct cpuid_answer *answer)
{
	(void)answer;
}
#endif

/* By the clock that the hypervisor gives the kernel. */
static const char *hypervisor_of_clock(int root_fd)
{
	static const struct clue clock_sources[] = { { "kvm-clock", "KVM" },
						     { "xen", "Xen" },
						     { "hyperv", "Hyper-V" } };
	char text[256];

	if (tt_proc_read_line(root_fd, "sys/devices/system/clocksource/clocksource0/available_clocksource",
			      text, sizeof(text)))
		return NULL;
	return MATCH(clock_sources, text);
}

static const char *hypervisor_of_sysfs(int root_fd)
{
	static const struct clue vendors[] = {
		{ "QEMU", "KVM" },
		{ "KVM", "KVM" },
		{ "Amazon EC2", "KVM" },
		{ "Google", "KVM" },
		{ "OpenStack", "KVM" },
		{ "DigitalOcean", "KVM" },
		{ "Xen", "Xen" },
		{ "VMware", "VMware" },
		{ "innotek", "VirtualBox" },
		{ "VirtualBox", "VirtualBox" },
	};
	static const struct clue device_trees[] = { { "kvm", "KVM" },
						    { "xen", "Xen" },
						    { "vmware", "VMware" } };
	static const struct clue control_programs[] = { { "KVM", "KVM" } };
	char text[4096], product[128];
	const char *found;

	tt_proc_read_line(root_fd, "sys/class/dmi/id/product_name", product, sizeof(product));
	if (strstr(product, ".metal") || strstr(product, "-metal"))
		return NULL; /* a cloud's bare metal carries the cloud's name too */
	if (!tt_proc_read_line(root_fd, "sys/class/dmi/id/sys_vendor", text, sizeof(text))) {
		if (strstr(text, "Microsoft") && strstr(product, "Virtual"))
			return "Hyper-V";
		found = MATCH(vendors, text);
		if (found)
			return found;
	}
	if (!tt_proc_read_line(root_fd, "proc/device-tree/hypervisor/compatible", text, sizeof(text)) &&
	    (found = MATCH(device_trees, text)))
		return found;
	/* s390: a line "VM00 Control Program: KVM/Linux" */
	if (tt_proc_read_small(root_fd, "proc/sysinfo", text, sizeof(text)) > 0) {
		const char *program = strstr(text, "Control Program:");

		return program ? MATCH(control_programs, program) : NULL;
	}
	return NULL;
}

/* The flag "hypervisor" among the flags of the first CPU: 1 there, 0 not there, -1 no flags to look at (not
 * x86). */
static int cpuinfo_hypervisor_flag(int root_fd)
{
	char text[8192], *flags, *end;

	if (tt_proc_read_small(root_fd, "proc/cpuinfo", text, sizeof(text)) <= 0)
		return -1;
	flags = strstr(text, "\nflags\t");
	if (!flags)
		return -1;
	end = strchr(flags + 1, '\n');
	if (end)
		*end = '\0';
	return strstr(flags, " hypervisor") != NULL;
}

static const char *detect_hypervisor(int root_fd, const struct cpuid_answer *cpuid)
{
	int flag = cpuid->asked ? cpuid->is_guest : cpuinfo_hypervisor_flag(root_fd);
	const char *found;
	char type[32];

	/* What the kernel found comes first. Where the CPU does not virtualize (Xen PV, KVM's PVM) a program's CPUID is that of
	 * the bare metal, or of a hypervisor further down. */
	if (!tt_proc_read_line(root_fd, "sys/hypervisor/type", type, sizeof(type)) && !strcmp(type, "xen"))
		return "Xen";
	found = flag ? hypervisor_of_clock(root_fd) : NULL;
	if (!found)
		found = cpuid->hypervisor;
	if (found)
		return found;
	if (!flag)
		return "none"; /* whatever the vendor's name: there are laptops by Google */
	found = hypervisor_of_sysfs(root_fd);
	return found ? found : "unknown";
}

/* 1 = some CPU lost time since boot, 0 = none did, -1 = no such column. */
static int any_steal(int root_fd)
{
	struct tt_text text = { 0 };
	struct tt_cpu_counters cpu;
	int answer = -1;
	const char *pos;

	if (!tt_text_read(&text, root_fd, "proc/stat"))
		for (pos = text.bytes; tt_proc_next_cpu(&pos, text.bytes + text.len, &cpu);)
			answer = answer > 0 || cpu.ticks[TT_STAT_STEAL] > 0;
	tt_text_free(&text);
	return answer;
}

static enum tt_steal_support steal_support(int root_fd, const struct cpuid_answer *cpuid,
					   const char *hypervisor, const char **ret_why)
{
	char cmdline[4096];

	if (any_steal(root_fd) > 0) {
		*ret_why = "/proc/stat counted some since boot";
		return TT_STEAL_REPORTED;
	}
	tt_proc_read_line(root_fd, "proc/cmdline", cmdline, sizeof(cmdline));
	if (strstr(cmdline, "no-steal-acc")) {
		*ret_why = "switched off by no-steal-acc on the kernel command line";
		return TT_STEAL_NOT_REPORTED;
	}
	if (!strcmp(hypervisor, "none")) {
		*ret_why = "no hypervisor below this kernel, so nobody to steal";
		return TT_STEAL_NOT_REPORTED;
	}
	if (!strcmp(hypervisor, "Hyper-V")) {
		*ret_why = "Hyper-V does not tell its guests";
		return TT_STEAL_NOT_REPORTED;
	}
	if (!strcmp(hypervisor, "Xen")) {
		*ret_why = "Xen tells every guest its runstate";
		return TT_STEAL_REPORTED;
	}
	if (!strcmp(hypervisor, "KVM") && cpuid->hypervisor && !strcmp(cpuid->hypervisor, "KVM")) {
		bool offered = cpuid->kvm_features & KVM_FEATURE_STEAL_TIME;

		*ret_why = offered ? "KVM offers its steal clock (CPUID), nothing was stolen since boot"
				   : "KVM was started without the steal clock (CPUID)";
		return offered ? TT_STEAL_REPORTED : TT_STEAL_NOT_REPORTED;
	}
	*ret_why = "nothing was stolen since boot, and nothing else tells";
	return TT_STEAL_UNKNOWN;
}

enum tt_steal_support tt_host_steal_support(const char *root, const char *hypervisor, char *why, size_t size)
{
	int root_fd = tt_proc_open_root(root);
	struct cpuid_answer cpuid = { 0 };
	const char *reason = "cannot look below the root directory";
	enum tt_steal_support support = TT_STEAL_UNKNOWN;

	if (!*root)
		ask_cpuid(&cpuid);
	if (root_fd >= 0) {
		support = steal_support(root_fd, &cpuid, hypervisor, &reason);
		close(root_fd);
	}
	snprintf(why, size, "%s", reason);
	return support;
}

bool tt_host_container(const char *root, char *name, size_t size)
{
	static const struct clue cgroups[] = {
		{ "docker", "docker" },		{ "kubepods", "kubernetes" },
		{ "libpod", "podman" },		{ "/lxc", "lxc" },
		{ "lxc.payload", "lxc" },	{ "containerd", "containerd" },
		{ "machine.slice", "machine" },
	};
	int root_fd = tt_proc_open_root(root);
	const char *found = NULL;
	char text[4096] = "";

	if (root_fd < 0)
		return false;
	/* A machine may have booted from a container's image: the marks are there, but its processes are not
	 * in one. PROC_PID_INIT_INO, include/linux/proc_ns.h. */
	if (readlinkat(root_fd, "proc/self/ns/pid", text, sizeof(text) - 1) > 0 &&
	    !strcmp(text, "pid:[4026531836]"))
		found = NULL;
	else if (!tt_proc_read_line(root_fd, "run/systemd/container", text, 64) && text[0])
		found = text;
	else if (!faccessat(root_fd, "run/.containerenv", F_OK, 0))
		found = "podman";
	else if (!faccessat(root_fd, ".dockerenv", F_OK, 0))
		found = "docker";
	else if (tt_proc_read_small(root_fd, "proc/1/cgroup", text, sizeof(text)) > 0)
		found = MATCH(cgroups, text);
	if (found)
		snprintf(name, size, "%s", found);
	close(root_fd);
	return found != NULL;
}

/* How many CPUs a list like "0-3,8" names; 0 = cannot tell. */
static unsigned count_cpu_list(const char *list)
{
	unsigned nr = 0;

	while (*list >= '0' && *list <= '9') {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (last < first || last >= TT_CPU_NONE)
			return 0;
		nr += (unsigned)(last - first + 1);
		list = *end == ',' ? end + 1 : end;
	}
	return nr < TT_CPU_NONE ? nr : 0;
}

static uint32_t count_cpus(int root_fd, const char *path, int sysconf_name)
{
	char list[4096];
	long nr;

	if (!tt_proc_read_line(root_fd, path, list, sizeof(list)) && count_cpu_list(list))
		return count_cpu_list(list);
	nr = sysconf(sysconf_name);
	return nr > 0 ? (uint32_t)nr : 1;
}

/* Takes a line of a file, else what uname says. */
static void fill_line(int root_fd, const char *path, const char *otherwise, char *dst, size_t size)
{
	char line[256];

	if (root_fd < 0 || tt_proc_read_line(root_fd, path, line, sizeof(line)) || !line[0])
		snprintf(line, sizeof(line), "%s", otherwise);
	line[size - 1 < sizeof(line) - 1 ? size - 1 : sizeof(line) - 1] = '\0';
	memset(dst, 0, size);
	memcpy(dst, line, strlen(line));
}

static void fill_clock(struct tt_info *info)
{
	struct timespec realtime, before, after;
	struct tm local;
	int64_t monotonic_ns;

	clock_gettime(CLOCK_MONOTONIC, &before);
	clock_gettime(CLOCK_REALTIME, &realtime);
	clock_gettime(CLOCK_MONOTONIC, &after);
	monotonic_ns = (before.tv_sec + after.tv_sec) * 500000000ll + (before.tv_nsec + after.tv_nsec) / 2;
	info->realtime_offset_ns = realtime.tv_sec * 1000000000ll + realtime.tv_nsec - monotonic_ns;

	tzset();
	if (!localtime_r(&realtime.tv_sec, &local))
		return;
	info->utc_offset_s = (int32_t)local.tm_gmtoff;
	snprintf(info->time_zone, sizeof(info->time_zone), "%s", local.tm_zone ? local.tm_zone : "");
}

void tt_info_fill_host(struct tt_info *info, const char *root)
{
	struct cpuid_answer cpuid = { 0 };
	int root_fd = tt_proc_open_root(root);
	struct utsname uts;
	long user_hz = sysconf(_SC_CLK_TCK);
	const char *why;

	if (uname(&uts))
		memset(&uts, 0, sizeof(uts));
	if (!*root)
		ask_cpuid(&cpuid);
#ifdef TT_VERSION
	snprintf(info->tool_version, sizeof(info->tool_version), "%s", TT_VERSION);
#endif
	fill_line(root_fd, "proc/sys/kernel/hostname", uts.nodename, info->hostname, sizeof(info->hostname));
	fill_line(root_fd, "proc/sys/kernel/osrelease", uts.release, info->kernel_release,
		  sizeof(info->kernel_release));
	fill_line(root_fd, "proc/sys/kernel/version", uts.version, info->kernel_version,
		  sizeof(info->kernel_version));
	fill_line(-1, "", uts.machine, info->arch, sizeof(info->arch));
	fill_line(root_fd, "proc/sys/kernel/random/boot_id", "", info->boot_id, sizeof(info->boot_id));
	snprintf(info->hypervisor, sizeof(info->hypervisor), "%s", detect_hypervisor(root_fd, &cpuid));
	info->steal_reported = steal_support(root_fd, &cpuid, info->hypervisor, &why) == TT_STEAL_REPORTED;
	info->nr_cpus_possible = count_cpus(root_fd, "sys/devices/system/cpu/possible", _SC_NPROCESSORS_CONF);
	info->nr_cpus_online = count_cpus(root_fd, "sys/devices/system/cpu/online", _SC_NPROCESSORS_ONLN);
	info->user_hz = user_hz > 0 ? (uint32_t)user_hz : 100;
	fill_clock(info);
	if (root_fd >= 0)
		close(root_fd);
}
