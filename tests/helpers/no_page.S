/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of collector/export/html/embed.S: a tool that was built without npm. */
	.section .rodata
	.global tt_page_template_begin, tt_page_template_end
tt_page_template_begin:
tt_page_template_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
