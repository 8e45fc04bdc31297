/* SPDX-License-Identifier: MIT */
#include "host/redact.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

static const char *const secret_names[] = {
	"password",    "passwd",        "passphrase", "secret",      "token",       "api_key",
	"api-key",     "apikey",        "access_key", "access-key",  "accesskey",   "private_key",
	"private-key", "authorization", "credential", "credentials", "storagepass",
};

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Length of a name that announces a secret, with its separator, at the start of `len` bytes; 0 when there is none. */
static size_t secret_head(const char *at, size_t len)
{
	for (size_t i = 0; i < PIT_COUNT(secret_names); i++) {
		size_t n = strlen(secret_names[i]);

		if (strncasecmp(at, secret_names[i], n) != 0 || in_word(at[n]))
			continue;
		while (at[n] == '"' || at[n] == '\'')
			n++;
		if (n + 1 >= len)
			return 0;
		if (at[n] == '=' || at[n] == ':' || at[n] == '\0')
			return n + 1 + strspn(at + n + 1, " \t\"'");
		if (at[n] == ' ' && i < 3)
			return n + 1;
	}
	return 0;
}

static uint32_t stand_in(const void *bytes, size_t len, uint64_t seed)
{
	return (uint32_t)XXH3_64bits_withSeed(bytes, len, seed);
}

static bool is_special_v4(const unsigned char a[4])
{
	return a[0] == 0 || a[0] == 127 || a[0] >= 224 || (a[0] == 169 && a[1] == 254);
}

/* `word` of `len` bytes made of digits and dots. */
static bool put_v4(const char *word, size_t len, uint64_t seed, struct pit_buf *out)
{
	unsigned char a[4];
	char text[16];
	uint32_t h;

	if (len >= sizeof(text))
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, a) != 1 || is_special_v4(a))
		return false;
	h = stand_in(a, 3, seed);
	pit_buf_printf(out, "10.%u.%u.%u", h & 0xff, h >> 8 & 0xff, a[3]);
	return true;
}

static bool put_mac(const char *word, size_t len, uint64_t seed, struct pit_buf *out)
{
	uint32_t h;

	if (len != 17)
		return false;
	for (size_t i = 0; i < len; i++)
		if (i % 3 == 2 ? word[i] != ':' : !isxdigit((unsigned char)word[i]))
			return false;
	if (!strncmp(word, "00:00:00:00:00:00", 17) || !strncasecmp(word, "ff:ff:ff:ff:ff:ff", 17))
		return false;
	h = stand_in(word, len, seed);
	pit_buf_printf(out, "02:00:%02x:%02x:%02x:%02x", h & 0xff, h >> 8 & 0xff, h >> 16 & 0xff, h >> 24);
	return true;
}

/* Groups of an IPv6 address or GID: those that say what kind it is stay. */
static bool put_v6(const char *word, size_t len, uint64_t seed, struct pit_buf *out)
{
	uint16_t group[8];
	char text[46];
	bool mapped;

	if (len >= sizeof(text))
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, group) != 1)
		return false;
	mapped = !group[0] && !group[1] && !group[2] && !group[3] && !group[4] && group[5] == 0xffff;
	for (int i = 0; i < 8; i++) {
		uint16_t g = ntohs(group[i]);
		bool kept = !g || (i == 0 && g == 0xfe80) || (mapped && i <= 5) || (i == 7 && g == 1);

		pit_buf_printf(out, "%s%04x", i ? ":" : "",
			       kept ? g : (stand_in(group, sizeof(group), seed + (uint64_t)i) & 0xffff) | 1);
	}
	return true;
}

static size_t count(const char *word, size_t len, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += word[i] == c;
	return n;
}

/* A word of hexadecimal digits, dots and colons that is an address of some kind. */
static bool put_address(const char *word, size_t len, uint64_t seed, struct pit_buf *out)
{
	size_t colons = count(word, len, ':'), dots = count(word, len, '.');

	if (dots == 3 && !colons)
		return put_v4(word, len, seed, out);
	if (colons == 5 && put_mac(word, len, seed, out))
		return true;
	return colons >= 3 && len >= 6 && put_v6(word, len, seed, out);
}

static bool is_address_byte(char c)
{
	return isxdigit((unsigned char)c) || c == '.' || c == ':';
}

/* How much of `len` bytes made of digits, dots and colons is the address: "10.1.2.3:2049" ends before the port. */
static size_t address_length(const char *word, size_t len)
{
	const char *colon = memchr(word, ':', len);

	if (colon && count(word, (size_t)(colon - word), '.') == 3)
		return (size_t)(colon - word);
	while (len && (word[len - 1] == '.' || (word[len - 1] == ':' && (len < 2 || word[len - 2] != ':'))))
		len--;
	return len;
}

/* One address or one other word at text[at]; returns the bytes used. */
static size_t put_one(const char *text, size_t at, size_t len, uint64_t seed, struct pit_buf *out)
{
	size_t n = 0;

	while (at + n < len && is_address_byte(text[at + n]))
		n++;
	n = address_length(text + at, n);
	if (n && (at + n >= len || !in_word(text[at + n])) && put_address(text + at, n, seed, out))
		return n;
	for (n = 0;
	     at + n < len && (isalnum((unsigned char)text[at + n]) || text[at + n] == '.' || text[at + n] == ':'); n++)
		;
	n = n ? n : 1;
	pit_buf_add(out, text + at, n);
	return n;
}

static size_t secret_length(const char *at)
{
	return strcspn(at, " \t\n,;\"'&");
}

/* Leaves the fifth field (the person's name) of each line of /etc/passwd out. */
static void put_passwd(const char *text, size_t len, struct pit_buf *out)
{
	int field = 1;

	for (size_t i = 0; i < len; i++) {
		field = text[i] == '\n' ? 1 : field + (text[i] == ':');
		if (field != 5 || text[i] == ':')
			pit_buf_putc(out, text[i]);
	}
}

void pit_redact(const char *path, const char *text, size_t len, uint64_t seed, struct pit_buf *out)
{
	if (!strcmp(path, "/etc/passwd")) {
		put_passwd(text, len, out);
		return;
	}
	for (size_t at = 0; at < len;) {
		bool starts_word = !at || !isalnum((unsigned char)text[at - 1]);
		size_t head = starts_word ? secret_head(text + at, len - at) : 0;

		if (head && at + head <= len && secret_length(text + at + head)) {
			pit_buf_add(out, text + at, head);
			pit_buf_puts(out, "REDACTED");
			at += head + secret_length(text + at + head);
		} else if (starts_word) {
			at += put_one(text, at, len, seed, out);
		} else {
			pit_buf_putc(out, text[at++]);
		}
	}
}
