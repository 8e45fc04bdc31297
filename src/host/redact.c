/* SPDX-License-Identifier: MIT */
#include "host/redact.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

/* What a name ends in that announces a secret. Whole words only: they are the ends of harmless ones ("bypass"). */
static const struct {
	const char *end;
	bool whole;
} secret_names[] = {
	{"password", false},    {"passwd", false},      {"passphrase", false}, {"secret", false},
	{"token", false},       {"api_key", false},     {"api-key", false},    {"apikey", false},
	{"access_key", false},  {"access-key", false},  {"accesskey", false},  {"access_key_id", false},
	{"private_key", false}, {"private-key", false}, {"privatekey", false}, {"authorization", false},
	{"credential", false},  {"credentials", false}, {"pass", true},        {"pwd", true},
	{"auth", true},
};

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Whether a word begins at text[at]: "auth" in "auth", "db_auth" and "dbAuth". */
static bool starts_part(const char *text, size_t at)
{
	return !at || !isalnum((unsigned char)text[at - 1]) ||
	       (isupper((unsigned char)text[at]) && islower((unsigned char)text[at - 1]));
}

/* Whether the word around text[at] is a long option, whose value may follow a blank. */
static bool is_option(const char *text, size_t at)
{
	while (at && in_word(text[at - 1]))
		at--;
	return text[at] == '-' && text[at + 1] == '-';
}

/* Length of a name that announces a secret, with its separator, at text[at]; 0 when there is none. */
static size_t secret_head(const char *text, size_t at, size_t len)
{
	for (size_t i = 0; i < PIT_COUNT(secret_names); i++) {
		size_t n = at + strlen(secret_names[i].end);

		if (strncasecmp(text + at, secret_names[i].end, n - at) != 0 || in_word(text[n]) ||
		    (secret_names[i].whole && !starts_part(text, at)))
			continue;
		while (text[n] == '"' || text[n] == '\'')
			n++;
		if (n + 1 >= len)
			return 0;
		n += strspn(text + n, " \t") * (text[n + strspn(text + n, " \t")] == '=');
		if (text[n] == '=' || text[n] == ':' || text[n] == '\0')
			return n + 1 + strspn(text + n + 1, " \t") - at;
		if (text[n] == ' ' && (i < 3 || is_option(text, at)))
			return n + 1 - at;
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
	return (colons >= 3 || memmem(word, len, "::", 2)) && len >= 6 && put_v6(word, len, seed, out);
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

static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == ':';
}

/* One address or one other word (up to a secret's name in it) at text[at]; returns the bytes used. */
static size_t put_one(const char *text, size_t at, size_t len, uint64_t seed, struct pit_buf *out)
{
	size_t n = 0;

	while (at + n < len && is_address_byte(text[at + n]))
		n++;
	n = address_length(text + at, n);
	if (n && (at + n >= len || !in_word(text[at + n])) && put_address(text + at, n, seed, out))
		return n;
	for (n = 1; at + n < len && is_plain(text[at]) && is_plain(text[at + n]); n++)
		if (secret_head(text, at + n, len))
			break;
	pit_buf_add(out, text + at, n);
	return n;
}

/* Length of the secret at `at`, of which `*ret_skip` bytes are its opening quote: up to the closing one, to the end of
 * the line after "Authorization", else of one word. */
static size_t secret_length(const char *head, const char *at, size_t *ret_skip)
{
	const char quote[] = {*at, '\n', '\0'};

	*ret_skip = *at == '"' || *at == '\'';
	if (*at == '{' || *at == '[')
		return 0; /* a section of that name */
	if (*ret_skip)
		return strcspn(at + 1, quote);
	return strcspn(at, tolower((unsigned char)*head) == 'a' && !strncasecmp(head, "authorization", 13)
				   ? "\n\"'"
				   : " \t\n,;\"'&");
}

/* Length of "user:password@" at `at`, which follows "://"; 0 when there is none. */
static size_t userinfo_length(const char *at)
{
	size_t n = strcspn(at, "/@ \t\n\"'<>");

	return at[n] == '@' ? n : 0;
}

/* Addresses in /proc/net/route: the second and third column, eight digits, the first byte last. */
static void put_route(const char *text, size_t len, uint64_t seed, struct pit_buf *out)
{
	int column = 1;

	for (size_t at = 0; at < len;) {
		size_t n = strcspn(text + at, "\t\n");
		unsigned char a[4];
		char word[16];
		uint32_t h;

		if ((column == 2 || column == 3) && n == 8 &&
		    sscanf(text + at, "%2hhx%2hhx%2hhx%2hhx", &a[3], &a[2], &a[1], &a[0]) == 4 && !is_special_v4(a)) {
			h = stand_in(a, 3, seed);
			snprintf(word, sizeof(word), "%02X%02X%02X0A", a[3], h >> 8 & 0xff, h & 0xff);
			pit_buf_add(out, word, 8);
		} else {
			pit_buf_add(out, text + at, n);
		}
		at += n;
		column = at < len && text[at] == '\n' ? 1 : column + 1;
		if (at < len)
			pit_buf_putc(out, text[at++]);
	}
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

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* Replaces a secret that is announced at text[at]; returns the bytes used, 0 when there is none. */
static size_t put_secret(const char *text, size_t at, size_t len, struct pit_buf *out)
{
	size_t skip = 0, n, head = 0;

	if (at >= 3 && !memcmp(text + at - 3, "://", 3))
		n = userinfo_length(text + at);
	else if ((head = secret_head(text, at, len)) && at + head <= len)
		n = secret_length(text + at, text + at + head, &skip);
	else
		return 0;
	if (!n)
		return 0;
	pit_buf_add(out, text + at, head + skip);
	pit_buf_puts(out, "REDACTED");
	return head + skip + n;
}

void pit_redact(const char *path, const char *text, size_t len, uint64_t seed, struct pit_buf *out)
{
	if (!strcmp(path, "/etc/passwd")) {
		put_passwd(text, len, out);
		return;
	}
	if (ends_in(path, "/net/route")) {
		put_route(text, len, seed, out);
		return;
	}
	for (size_t at = 0; at < len;) {
		size_t used = put_secret(text, at, len, out);

		if (!used && (!at || !isalnum((unsigned char)text[at - 1])))
			used = put_one(text, at, len, seed, out);
		else if (!used)
			pit_buf_putc(out, text[at]), used = 1;
		at += used;
	}
}
