/* SPDX-License-Identifier: GPL-2.0-or-later */
/* insns OBJECT - how many instructions each BPF program of the object has: "NAME COUNT" lines. Needs no kernel. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct bpf_object *obj = argc == 2 ? bpf_object__open_file(argv[1], NULL) : NULL;
	struct bpf_program *prog;

	if (!obj) {
		fprintf(stderr, "insns: cannot open the object: %s\n", strerror(errno));
		return 1;
	}
	bpf_object__for_each_program(prog, obj)
		printf("%s %zu\n", bpf_program__name(prog), bpf_program__insn_cnt(prog));
	bpf_object__close(obj);
	return 0;
}
