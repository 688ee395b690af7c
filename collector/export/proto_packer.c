/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector/export/proto_packer.h"

#include <stdlib.h>

enum { ROOM_FIRST = 4096 };

const uint8_t *tt_proto_packer_pack(struct tt_proto_packer *p, const ProtobufCMessage *message,
				    size_t *ret_len)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	if (len > p->room || !p->bytes) {
		size_t room = len < ROOM_FIRST ? ROOM_FIRST : 2 * len;
		uint8_t *bytes = realloc(p->bytes, room);

		if (!bytes)
			return NULL;
		p->bytes = bytes;
		p->room = room;
	}
	*ret_len = protobuf_c_message_pack(message, p->bytes);
	return p->bytes;
}

void tt_proto_packer_close(struct tt_proto_packer *p)
{
	free(p->bytes);
	*p = (struct tt_proto_packer){ 0 };
}
