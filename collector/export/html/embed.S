/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The built page; PAGE_FILE is empty when this build has none. */
	.section .rodata
	.global tt_page_template_begin, tt_page_template_end
tt_page_template_begin:
	.incbin PAGE_FILE
tt_page_template_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
