/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel module says of itself, before anybody loads it. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/source/stap_tool.h"

static const char option_name[] = "tt_wait"; /* a global of stap/tapset/probes.stp */

static void take_field(char *to, size_t size, const char *text, size_t len)
{
	size_t n = len < size - 1 ? len : size - 1;

	memcpy(to, text, n);
	to[n] = '\0';
}

void tt_stap_parse_modinfo(const char *text, size_t len, struct tt_stap_module *module)
{
	for (size_t at = 0; at < len;) {
		const char *field = text + at;
		size_t field_len = strnlen(field, len - at);

		if (field_len > 5 && !memcmp(field, "name=", 5)) {
			take_field(module->name, sizeof(module->name), field + 5, field_len - 5);
		} else if (field_len > 9 && !memcmp(field, "vermagic=", 9)) {
			const char *blank = memchr(field, ' ', field_len);

			take_field(module->release, sizeof(module->release), field + 9,
				   (blank ? (size_t)(blank - field) : field_len) - 9);
		} else if (field_len > 9 + strlen(option_name) && !memcmp(field, "parmtype=", 9) &&
			   !memcmp(field + 9, option_name, strlen(option_name))) {
			module->is_ours = true;
		}
		at += field_len + 1;
	}
}

/* Parameters of SystemTap's globals have no parmtype with every kernel, but always a symbol. */
static bool has_option_symbol(Elf_Scn *section, const GElf_Shdr *head, Elf *elf)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t nr = head->sh_entsize ? head->sh_size / head->sh_entsize : 0;

	for (size_t i = 0; data && i < nr; i++) {
		const char *name;
		GElf_Sym symbol;

		if (!gelf_getsym(data, (int)i, &symbol))
			break;
		name = elf_strptr(elf, head->sh_link, symbol.st_name);
		if (name && strstr(name, "param") && strstr(name, option_name))
			return true;
	}
	return false;
}

static void read_elf(Elf *elf, struct tt_stap_module *module)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return;
	while ((section = elf_nextscn(elf, section))) {
		const char *name;
		GElf_Shdr head;
		Elf_Data *data;

		if (!gelf_getshdr(section, &head))
			continue;
		name = elf_strptr(elf, names, head.sh_name);
		if (head.sh_type == SHT_SYMTAB && has_option_symbol(section, &head, elf))
			module->is_ours = true;
		if (!name || strcmp(name, ".modinfo") != 0)
			continue;
		data = elf_rawdata(section, NULL);
		if (data && data->d_buf)
			tt_stap_parse_modinfo(data->d_buf, data->d_size, module);
	}
}

/* include/linux/module_signature.h: the last bytes of a signed module. */
static bool has_signature(int fd)
{
	static const char marker[] = "~Module signature appended~\n";
	char end[sizeof(marker) - 1];
	struct stat st;

	return !fstat(fd, &st) && st.st_size > (off_t)sizeof(end) &&
	       pread(fd, end, sizeof(end), st.st_size - (off_t)sizeof(end)) == sizeof(end) &&
	       !memcmp(end, marker, sizeof(end));
}

int tt_stap_module_read(const char *path, struct tt_stap_module *ret, char *why, size_t size)
{
	struct tt_stap_module module = { .is_signed = false };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf;

	if (fd < 0) {
		int err = -errno;

		snprintf(why, size, "%s: %s", path, strerror(-err));
		return err;
	}
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		read_elf(elf, &module);
	elf_end(elf);
	module.is_signed = has_signature(fd);
	close(fd);
	if (!module.name[0] || !module.release[0]) {
		snprintf(why, size, "%s: is no kernel module; timethief stap-build makes one", path);
		return -EINVAL;
	}
	/* as stap -m takes it; it becomes part of paths and an argument */
	if (module.name[strspn(module.name, "abcdefghijklmnopqrstuvwxyz0123456789_")]) {
		snprintf(why, size, "%s: '%s' is no name of a SystemTap module; timethief stap-build makes one",
			 path, module.name);
		return -EINVAL;
	}
	if (!module.is_ours) {
		snprintf(why, size, "%s: module %s is none of timethief's; timethief stap-build makes one",
			 path, module.name);
		return -EINVAL;
	}
	*ret = module;
	return 0;
}
