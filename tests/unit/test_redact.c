/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "host/redact.h"

static void redact(const char *path, const char *text, struct pit_buf *out)
{
	pit_buf_clear(out);
	pit_redact(path, text, strlen(text), 42, out);
}

static const char *const kept[] = {
	"",
	"0::/user.slice\n",
	"12:30:59 up\n",
	"0000:65:00.0 10de:2330\n",
	"127.0.0.1 0.0.0.0 255.255.255.255 ::1\n",
	"6.1.0-18-amd64 550.54.15 1.2.3\n",
	"cpu  1 2 3\n",
	"00:00:00:00:00:00\n",
	"0-3,8\n",
	"tokenizers=1 secretary: x\n",
	"0000:0000:0000:0000:0000:0000:0000:0000\n",
	"Uuid GPU-12ab-34cd\n",
	"nvme0n1: a1:b2\n",
	"deadbeef cafe\n",
	"bypass=1 compass: x authentication=y AuthType=auth/munge\n",
	"\"authorization\": {\"mode\": \"Webhook\"}\n",
	"authorization:\n  mode: Webhook\n",
	"a pass over 3 token rings, no secret here\n",
	"http://proxy:3128/a@b std::x\n",
};

static void keeps_what_is_harmless(void **state)
{
	struct pit_buf out = PIT_BUF_INIT;

	for (size_t i = 0; i < PIT_COUNT(kept); i++) {
		redact("/x", kept[i], &out);
		assert_string_equal(out.data, kept[i]);
	}
	pit_buf_free(&out);
}

static const struct {
	const char *text, *gone, *stays;
} replaced[] = {
	{"server 192.168.17.5:/export\n", "192.168.17", ".5:/export"},
	{"addr=10.1.2.3,hard\n", "10.1.2.3", ",hard"},
	{"link/ether 52:54:00:12:34:56 x\n", "52:54:00", " x"},
	{"2001:0db8:85a3:0000:0000:8a2e:0370:7334\n", "85a3", "\n"},
	{"fe80:0000:0000:0000:0225:90ff:fe12:3456\n", "90ff", "fe80:0000"},
	{"0000:0000:0000:0000:0000:ffff:0a00:0001\n", "0a00", "0000:0000:0000:0000:0000:ffff:"},
	{"mysql --password=hunter2 x\n", "hunter2", "--password=REDACTED x"},
	{"\"hf_token\": \"hf_abc\"\n", "hf_abc", "REDACTED"},
	{"AWS_SECRET: s3cr3t\n", "s3cr3t", "REDACTED"},
	{"\"http-proxy\": \"http://alice:hunter2@proxy:3128\"\n", "hunter2", "http://REDACTED@proxy:3128"},
	{"https://ghp_abc@github.com/x\n", "ghp_abc", "REDACTED@github.com/x"},
	{"AccountingStoragePass=hunter2\n", "hunter2", "AccountingStoragePass=REDACTED\n"},
	{"JobCompPass=hunter2\n", "hunter2", "JobCompPass="},
	{"username=bob,pass=hunter2,vers=3.0\n", "hunter2", ",vers=3.0"},
	{"\"clientSecret\": \"zz,z\", \"b\": 1\n", "zz", "\"clientSecret\": \"REDACTED\", \"b\": 1"},
	{"identitytoken = \"abc\"\n", "abc", "identitytoken = \"REDACTED\"\n"},
	{"password=\"two words\" x\n", "words", "password=\"REDACTED\" x"},
	{"Authorization: Bearer abc.def\nnext\n", "abc", "REDACTED\nnext"},
	{"k3s agent --token K10ab::server:cd --server x\n", "K10", "--token REDACTED --server x"},
	{"AWS_ACCESS_KEY_ID=AKIA7\n", "AKIA7", "REDACTED"},
	{"{\"auth\": \"dXNl\"}\n", "dXNl", "\"auth\": \"REDACTED\"}"},
	{"addr fd12::2 x\n", "fd12", " x"},
	{"StoragePass\ntoken=abc,next\n", "abc", "token=REDACTED,next"},
};

static void replaces_addresses_in_routes(void **state)
{
	struct pit_buf out = PIT_BUF_INIT;

	redact("/proc/7/net/route", "Iface\tDestination\tGateway \neth0\t00000000\t0101A8C0\t0003\n", &out);
	assert_null(strstr(out.data, "A8C0"));
	assert_non_null(strstr(out.data, "Iface\tDestination\tGateway \neth0\t00000000\t01"));
	assert_non_null(strstr(out.data, "0A\t0003\n"));
	pit_buf_free(&out);
}

static void replaces_secrets_and_addresses(void **state)
{
	struct pit_buf out = PIT_BUF_INIT;

	for (size_t i = 0; i < PIT_COUNT(replaced); i++) {
		redact("/x", replaced[i].text, &out);
		if (strstr(out.data, replaced[i].gone))
			fail_msg("'%s' is still in '%s'", replaced[i].gone, out.data);
		assert_non_null(strstr(out.data, replaced[i].stays));
	}
	pit_buf_free(&out);
}

static void equal_stays_equal(void **state)
{
	struct pit_buf out = PIT_BUF_INIT;
	unsigned a[4], b[4], c[4];

	redact("/x", "192.168.1.1 192.168.1.9 192.168.2.1", &out);
	assert_int_equal(sscanf(out.data, "%u.%u.%u.%u %u.%u.%u.%u %u.%u.%u.%u", a, a + 1, a + 2, a + 3, b, b + 1,
				b + 2, b + 3, c, c + 1, c + 2, c + 3),
			 12);
	assert_true(a[1] == b[1] && a[2] == b[2] && (a[1] != c[1] || a[2] != c[2]));
	pit_buf_free(&out);
}

static void leaves_names_of_people_out(void **state)
{
	struct pit_buf out = PIT_BUF_INIT;

	redact("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice A.,Room 5:/home/alice:/bin/sh\n",
	       &out);
	assert_string_equal(out.data, "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n");
	pit_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_is_harmless),       cmocka_unit_test(replaces_secrets_and_addresses),
		cmocka_unit_test(replaces_addresses_in_routes), cmocka_unit_test(equal_stays_equal),
		cmocka_unit_test(leaves_names_of_people_out),
	};

	return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
