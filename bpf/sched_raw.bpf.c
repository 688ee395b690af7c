/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sched_raw.bpf.c - sched.bpf.c for kernels without tp_btf or task storage (5.8 to 5.10): raw_tp, state by
 * tid. */
#define TT_RAW_TP
#include "bpf/sched.bpf.c"
