/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short readable names for cgroup paths, as the container engines, libvirt and systemd make them.
 *
 *   /docker/<64 hex>, /system.slice/docker-<64 hex>.scope           docker/3fa1b2c4d5e6
 *   .../kubepods[-burstable]-pod<uid>.slice/cri-containerd-<64 hex>.scope  containerd/3fa1b2c4d5e6
 *   .../kubepods/burstable/pod<uid>/<64 hex>                        pod/3fa1b2c4d5e6
 *   /machine.slice/libpod-<64 hex>.scope[/container]                podman/3fa1b2c4d5e6
 *   /lxc/NAME/..., /lxc.payload.NAME/...                            lxc/NAME
 *   /machine.slice/machine-qemu\x2d3\x2dNAME.scope/...              vm/NAME
 *   /machine/qemu-3-NAME.libvirt-qemu/... (v1 without systemd)      vm/NAME
 *   anything else: its last component that is a unit, else the last component
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "collector/aggregate/world.h"
#include "collector/base/escape.h"

enum {
	NAME_COLUMNS = 32,
	HEX_SHOWN = 12, /* as docker ps */
	HEX_MIN = 32,	/* a component with so many hex digits is a container id */
};

struct part { /* one component of a path */
	const char *at;
	size_t len;
};

static bool starts_with(struct part p, const char *prefix)
{
	size_t len = strlen(prefix);

	return p.len >= len && !memcmp(p.at, prefix, len);
}

static bool ends_with(struct part p, const char *suffix)
{
	size_t len = strlen(suffix);

	return p.len >= len && !memcmp(p.at + p.len - len, suffix, len);
}

static bool is(struct part p, const char *text)
{
	return p.len == strlen(text) && starts_with(p, text);
}

static struct part without(struct part p, size_t front, size_t back)
{
	if (front + back > p.len)
		return (struct part){ p.at, 0 };
	return (struct part){ p.at + front, p.len - front - back };
}

static size_t nr_hex(struct part p)
{
	size_t n = 0;

	while (n < p.len && ((p.at[n] >= '0' && p.at[n] <= '9') || (p.at[n] >= 'a' && p.at[n] <= 'f')))
		n++;
	return n;
}

static bool is_container_id(struct part p)
{
	return p.len >= HEX_MIN && nr_hex(p) == p.len;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* systemd writes bytes that a unit name may not hold as \xNN. */
static size_t unescape(char *dst, size_t size, struct part p)
{
	size_t n = 0;

	for (size_t i = 0; i < p.len && n + 1 < size; i++) {
		char c = p.at[i];

		if (c == '\\' && p.len - i >= 4 && p.at[i + 1] == 'x' && hex_digit(p.at[i + 2]) >= 0 &&
		    hex_digit(p.at[i + 3]) >= 0) {
			c = (char)(hex_digit(p.at[i + 2]) << 4 | hex_digit(p.at[i + 3]));
			i += 3;
		}
		if (c)
			dst[n++] = c;
	}
	dst[n] = '\0';
	return n;
}

/* "prefix/name", cut to what a table has room for; the end of a name is what tells it from its neighbours. */
static char *put_name(char *buf, size_t size, const char *prefix, struct part name)
{
	char plain[TT_CGROUP_PATH_LEN + 1];
	size_t len = unescape(plain, sizeof(plain), name), room = NAME_COLUMNS - strlen(prefix);

	if (len <= room)
		snprintf(buf, size, "%s%s", prefix, plain);
	else
		snprintf(buf, size, "%s..%s", prefix, plain + len - (room - 2));
	return buf;
}

static char *put_id(char *buf, size_t size, const char *prefix, struct part id)
{
	return put_name(buf, size, prefix, (struct part){ id.at, id.len < HEX_SHOWN ? id.len : HEX_SHOWN });
}

/* machine-qemu\x2d3\x2dNAME.scope or qemu-3-NAME.libvirt-qemu: what is behind the second dash. */
static bool vm_name(struct part p, struct part *ret_name)
{
	const char *dash = "-";

	if (starts_with(p, "machine-qemu\\x2d") && ends_with(p, ".scope")) {
		p = without(p, strlen("machine-qemu\\x2d"), strlen(".scope"));
		dash = "\\x2d";
	} else if (starts_with(p, "qemu-") && ends_with(p, ".libvirt-qemu")) {
		p = without(p, strlen("qemu-"), strlen(".libvirt-qemu"));
	} else {
		return false;
	}
	for (size_t i = 0; i < p.len && p.at[i] >= '0' && p.at[i] <= '9'; i++) {
		struct part rest = without(p, i + 1, 0);

		if (starts_with(rest, dash)) {
			p = without(rest, strlen(dash), 0);
			break;
		}
	}
	*ret_name = p;
	return true;
}

/* One component that names its cgroup for good, whatever is below it. parent is the component above. */
static bool name_container(struct part p, struct part parent, char *buf, size_t size)
{
	static const struct {
		const char *prefix, *shown;
	} scopes[] = {
		{ "docker-", "docker/" },      { "cri-containerd-", "containerd/" },
		{ "nerdctl-", "containerd/" }, { "crio-", "crio/" },
		{ "libpod-", "podman/" },
	};
	struct part name;

	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		size_t back = ends_with(p, ".scope") ? strlen(".scope") : 0;

		name = without(p, strlen(scopes[i].prefix), back);
		if (starts_with(p, scopes[i].prefix) && is_container_id(name))
			return put_id(buf, size, scopes[i].shown, name);
	}
	if (vm_name(p, &name))
		return put_name(buf, size, "vm/", name);
	if (starts_with(p, "lxc.payload.") && p.len > strlen("lxc.payload."))
		return put_name(buf, size, "lxc/", without(p, strlen("lxc.payload."), 0));
	if (is(parent, "lxc"))
		return put_name(buf, size, "lxc/", p);
	if (!is_container_id(p))
		return false;
	if (is(parent, "docker"))
		return put_id(buf, size, "docker/", p);
	if (is(parent, "libpod_parent"))
		return put_id(buf, size, "podman/", p);
	if (starts_with(parent, "pod") || starts_with(parent, "kubepods"))
		return put_id(buf, size, "pod/", p);
	return put_id(buf, size, "", p);
}

/* "user.slice/user-1000.slice/user@1000.service/app.slice/x.scope": the innermost that is no mere slice. */
static char *name_unit(struct part unit, char *buf, size_t size)
{
	if (starts_with(unit, "user@") && ends_with(unit, ".service"))
		unit = without(unit, 0, strlen(".service"));
	return put_name(buf, size, "", unit);
}

char *tt_cgroup_short_name(const char *path, char *buf, size_t size)
{
	struct part parent = { "", 0 }, last = { "/", 1 }, unit = { "", 0 };

	for (const char *at = path; *at;) {
		struct part p = { at, strcspn(at, "/") };

		if (!p.len) {
			at++;
			continue;
		}
		if (name_container(p, parent, buf, size))
			return buf;
		if (ends_with(p, ".service") || ends_with(p, ".scope") || ends_with(p, ".socket"))
			unit = p;
		parent = last = p;
		at += p.len;
	}
	return name_unit(unit.len ? unit : last, buf, size);
}

static bool is_below(const char *path, const char *prefix)
{
	size_t len;

	path += strspn(path, "/");
	prefix += strspn(prefix, "/");
	len = strlen(prefix);
	while (len && prefix[len - 1] == '/')
		len--;
	return !len || (!strncmp(path, prefix, len) && (path[len] == '\0' || path[len] == '/'));
}

bool tt_cgroup_is_below(const char *path, const char *prefix)
{
	char printed[4 * TT_CGROUP_PATH_LEN + 1];

	if (is_below(path, prefix))
		return true;
	return strchr(prefix, '\\') && is_below(tt_escape(printed, sizeof(printed), path, strlen(path)), prefix);
}
