/* SPDX-License-Identifier: MIT */
#include "feed/utf8.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of the character that begins here: 0 when it is none. */
static size_t character(const unsigned char *s, size_t len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	uint32_t code = n > 1 ? s[0] & (0x7fU >> n) : s[0];

	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

size_t pit_utf8_valid(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0;

	while (at < len) {
		uint64_t eight;
		size_t n;

		if (len - at >= sizeof(eight)) {
			memcpy(&eight, s + at, sizeof(eight));
			if (!(eight & UINT64_C(0x8080808080808080))) {
				at += sizeof(eight);
				continue;
			}
		}
		n = character(s + at, len - at);
		if (!n)
			return at;
		at += n;
	}
	return at;
}

size_t pit_utf8_put(char *out, uint32_t code)
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(lead[n] | code);
	return n;
}

char *pit_utf8_show(const char *name, char *out, size_t size)
{
	size_t len = strlen(name), keep = len < size ? len : size - 4;
	bool cut = keep < len;

	while (cut && keep && ((unsigned char)name[keep] & 0xc0) == 0x80)
		keep--;
	for (size_t i = 0; i < keep; i++)
		out[i] = (unsigned char)name[i] < 0x20 || name[i] == 0x7f ? '?' : name[i];
	strcpy(out + keep, cut ? "..." : "");
	return out;
}
