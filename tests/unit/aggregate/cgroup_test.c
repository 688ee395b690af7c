/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "collector/aggregate/world.h"

#define HEX "3fa1b2c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2"

static void expect(const char *path, const char *name)
{
	char buf[64];

	cr_expect(eq(str, tt_cgroup_short_name(path, buf, sizeof(buf)), (char *)name), "for %s", path);
}

Test(cgroup, containers_are_shown_by_engine_and_short_id)
{
	expect("/docker/" HEX, "docker/3fa1b2c4d5e6");
	expect("/docker/" HEX "/init.scope", "docker/3fa1b2c4d5e6");
	expect("/system.slice/docker-" HEX ".scope", "docker/3fa1b2c4d5e6");
	expect("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-" HEX
	       ".scope",
	       "containerd/3fa1b2c4d5e6");
	expect("/kubepods.slice/kubepods-pod1_2.slice/crio-" HEX ".scope", "crio/3fa1b2c4d5e6");
	expect("/kubepods/burstable/pod7d3e-11/" HEX, "pod/3fa1b2c4d5e6");
	expect("/machine.slice/libpod-" HEX ".scope/container", "podman/3fa1b2c4d5e6");
	expect("/libpod_parent/libpod-" HEX, "podman/3fa1b2c4d5e6");
}

Test(cgroup, lxc_and_virtual_machines_are_shown_by_name)
{
	expect("/lxc/web1/system.slice/nginx.service", "lxc/web1");
	expect("/lxc.payload.web1/init.scope", "lxc/web1");
	expect("/machine.slice/machine-qemu\\x2d3\\x2ddb\\x2d1.scope/libvirt/vcpu0", "vm/db-1");
	expect("/machine/qemu-3-db-1.libvirt-qemu/vcpu0", "vm/db-1");
}

Test(cgroup, units_and_plain_paths_are_shown_by_their_last_name)
{
	expect("/system.slice/nginx.service", "nginx.service");
	expect("/user.slice/user-1000.slice/user@1000.service", "user@1000");
	expect("/user.slice/user-1000.slice/session-3.scope", "session-3.scope");
	expect("/system.slice", "system.slice");
	expect("/", "/");
	expect("", "/");
	expect("///a//b/", "b");
}

Test(cgroup, odd_paths_stay_short)
{
	char long_path[TT_CGROUP_PATH_LEN], buf[64], tiny[4];

	memset(long_path, 'x', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	tt_cgroup_short_name(long_path, buf, sizeof(buf));
	cr_expect(eq(sz, strlen(buf), 32));
	expect("/a\\x2", "a\\x2");
	expect("/machine.slice/machine-qemu\\x2d.scope", "vm/");
	tt_cgroup_short_name("/docker/" HEX, tiny, sizeof(tiny));
	cr_expect(eq(str, tiny, "doc"), "cut to the room there is");
}

Test(cgroup, a_prefix_ends_at_a_slash)
{
	cr_expect(tt_cgroup_is_below("/a/b", "/a/b"));
	cr_expect(tt_cgroup_is_below("/a/b/c", "a/b/"));
	cr_expect(tt_cgroup_is_below("/a/b", "/"));
	cr_expect(not(tt_cgroup_is_below("/a/bc", "/a/b")));
}

Test(cgroup, a_path_can_be_named_as_it_was_printed)
{
	const char *path = "/machine.slice/machine-qemu\\x2d3.scope/a\nb";

	cr_expect(tt_cgroup_is_below(path, "/machine.slice/machine-qemu\\x2d3.scope"), "as the kernel has it");
	cr_expect(tt_cgroup_is_below(path, "/machine.slice/machine-qemu\\\\x2d3.scope"), "as reports print it");
	cr_expect(tt_cgroup_is_below(path, "/machine.slice/machine-qemu\\\\x2d3.scope/a\\x0ab"));
	cr_expect(not(tt_cgroup_is_below(path, "/machine.slice/machine-qemu\\\\x2d4.scope")));
}
