/* SPDX-License-Identifier: MIT */
#include "check/pci_config.h"

#define STATUS 0x06
#define STATUS_LIST 0x10
#define FIRST 0x34
#define EXTENDED 0x100
#define USER_BYTES 64
#define STEPS_MAX 64 /* a list of foreign data may run in a circle */

unsigned pit_config_u16(const struct pit_text *config, size_t offset)
{
	const unsigned char *at = (const unsigned char *)config->data + offset;

	return offset + 2 > config->len ? 0 : (unsigned)at[0] | (unsigned)at[1] << 8;
}

unsigned pit_config_u32(const struct pit_text *config, size_t offset)
{
	return pit_config_u16(config, offset) | pit_config_u16(config, offset + 2) << 16;
}

int pit_config_capability(const struct pit_text *config, unsigned id, size_t *ret)
{
	size_t at;

	if (config->len < USER_BYTES)
		return -EBADMSG;
	if (!(pit_config_u16(config, STATUS) & STATUS_LIST))
		return -ENOENT;
	if (config->len == USER_BYTES)
		return -EPERM;
	at = pit_config_u16(config, FIRST) & 0xfc;
	for (int i = 0; at >= USER_BYTES && i < STEPS_MAX; i++) {
		unsigned head = pit_config_u16(config, at);

		if ((head & 0xff) == id) {
			*ret = at;
			return 0;
		}
		at = head >> 8 & 0xfc;
	}
	return at ? -EBADMSG : -ENOENT;
}

int pit_config_extended(const struct pit_text *config, unsigned id, size_t *ret)
{
	size_t at = EXTENDED;

	if (config->len <= USER_BYTES)
		return config->len < USER_BYTES ? -EBADMSG : -EPERM;
	if (config->len <= EXTENDED)
		return -ENOENT;
	for (int i = 0; at >= EXTENDED && i < STEPS_MAX; i++) {
		unsigned head = pit_config_u32(config, at);

		if (!head || head == 0xffffffffu)
			return -ENOENT;
		if ((head & 0xffff) == id) {
			*ret = at;
			return 0;
		}
		at = head >> 20 & 0xffc;
	}
	return at ? -EBADMSG : -ENOENT;
}

unsigned pit_express_payload_max(unsigned devcap)
{
	return 128u << (devcap & 7);
}

unsigned pit_express_payload(unsigned devctl)
{
	return 128u << (devctl >> 5 & 7);
}

unsigned pit_express_read_request(unsigned devctl)
{
	return 128u << (devctl >> 12 & 7);
}

bool pit_express_relaxed(unsigned devctl)
{
	return devctl & 0x10;
}
