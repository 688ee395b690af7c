/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proto_packer - protobuf messages as bytes, in one buffer that is used again. */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

/* Zero it to initialise. */
struct tt_proto_packer {
	uint8_t *bytes;
	size_t room;
};

/* *ret_len bytes, valid until the next call; NULL = no memory. */
const uint8_t *tt_proto_packer_pack(struct tt_proto_packer *p, const ProtobufCMessage *message,
				    size_t *ret_len);
void tt_proto_packer_close(struct tt_proto_packer *p);
