/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/symbol/answer.h"

#include <errno.h>
#include <string.h>

struct head {
	uint32_t size; /* with all that belongs to it */
	uint16_t nr_frames, has_address;
	uint64_t address;
};

struct frame {
	uint64_t offset;
	uint32_t line;
	uint16_t name_len, file_len;
	uint32_t is_cut, pad;
	/* name, file; padded to 8 */
};

_Static_assert(sizeof(struct head) == 16 && sizeof(struct frame) == 24, "both sides agree on the size");

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

size_t tt_answer_encode(const struct tt_answer *answer, void *dst)
{
	struct head head = { .nr_frames = (uint16_t)answer->nr_frames,
			     .has_address = answer->has_address,
			     .address = answer->address };
	char *at = (char *)dst + sizeof(head);

	for (unsigned i = 0; i < answer->nr_frames; i++) {
		const struct tt_answer_frame *f = &answer->frames[i];
		struct frame frame = { .offset = f->offset,
				       .line = f->line,
				       .name_len = (uint16_t)f->name.len,
				       .file_len = (uint16_t)f->file.len,
				       .is_cut = f->is_cut };
		size_t len = f->name.len + f->file.len;

		memcpy(at, &frame, sizeof(frame));
		at += sizeof(frame);
		if (f->name.len)
			memcpy(at, f->name.text, f->name.len);
		if (f->file.len)
			memcpy(at + f->name.len, f->file.text, f->file.len);
		memset(at + len, 0, padded(len) - len);
		at += padded(len);
	}
	head.size = (uint32_t)(at - (char *)dst);
	memcpy(dst, &head, sizeof(head));
	return head.size;
}

ssize_t tt_answer_decode(const void *bytes, size_t len, struct tt_answer *ret)
{
	const char *at = bytes, *end;
	struct head head;

	if (len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
	if (head.size > len || head.size < sizeof(head) || head.size % 8 ||
	    head.nr_frames > TT_ANSWER_FRAMES_MAX)
		return -EBADMSG;
	end = at + head.size;
	at += sizeof(head);
	ret->has_address = head.has_address != 0;
	ret->address = head.address;
	ret->nr_frames = head.nr_frames;
	for (unsigned i = 0; i < head.nr_frames; i++) {
		struct tt_answer_frame *f = &ret->frames[i];
		struct frame frame;

		if ((size_t)(end - at) < sizeof(frame))
			return -EBADMSG;
		memcpy(&frame, at, sizeof(frame));
		at += sizeof(frame);
		if (frame.name_len > TT_NAME_BYTES_MAX || frame.file_len > TT_NAME_BYTES_MAX ||
		    (size_t)(end - at) < padded((size_t)frame.name_len + frame.file_len))
			return -EBADMSG;
		*f = (struct tt_answer_frame){
			.name = { at, frame.name_len },
			.file = { at + frame.name_len, frame.file_len },
			.offset = frame.offset,
			.line = frame.line,
			.is_cut = frame.is_cut != 0,
		};
		at += padded((size_t)frame.name_len + frame.file_len);
	}
	return at == end ? (ssize_t)head.size : -EBADMSG;
}
