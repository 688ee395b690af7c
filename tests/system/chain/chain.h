/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chain - what the C and the C++ half of the program share. See chain.cc. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Each until now_ns() says until_ns. Compiled so that they are functions on the stack. */
void chain_c_burn(unsigned long long until_ns);
unsigned long chain_c_read(int fd, void *buf, unsigned long long until_ns); /* how often it read 4 KiB */
void chain_c_sleep(unsigned long long until_ns);
void chain_c_sort(unsigned long long until_ns); /* burns in what the C library's qsort() calls */
void chain_c_jit(void (*code)(unsigned long), unsigned long long until_ns);
/* Calls itself nr_more times, then burns. */
void chain_c_deep(unsigned nr_more, unsigned long long until_ns);
unsigned long long now_ns(void);

#ifdef __cplusplus
}
#endif
