/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "check/kube_conf.h"

typedef int (*parser)(const char *, struct pit_conf *, struct pit_error *);

/* "key=value;key=value", in the order of the text. */
struct vector {
	const char *text;
	const char *flat; /* NULL: refused */
};

static const struct vector yaml[] = {
	{"", ""},
	{"a: 1\n", "a=1"},
	{"a: 1", "a=1"},
	{"# c\n---\na: x # y\nb: 'it''s'\nc: \"t\\\"#\"\n", "a=x;b=it's;c=t\"#"},
	{"a:\n  b: 1\n  c:\n    d: 2\ne: 3\n", "a/b=1;a/c/d=2;e=3"},
	{"a:\n- x\n- y\nb: 1\n", "a/0=x;a/1=y;b=1"},
	{"a:\n  - x\n  - y\n", "a/0=x;a/1=y"},
	{"r:\n- n: 0\n  l:\n    m: 1Gi\n- n: 1\n  l:\n    m: 2Gi\n", "r/0/n=0;r/0/l/m=1Gi;r/1/n=1;r/1/l/m=2Gi"},
	{"- - 1\n  - 2\n- 3\n", "0/0=1;0/1=2;1=3"},
	{"a: {b: 1, c: {d: \"2\"}}\n", "a/b=1;a/c/d=2"},
	{"a: [x, 'y', z]\nb: []\nc: {}\n", "a/0=x;a/1=y;a/2=z"},
	{"a: |\n  one\n  two\nb: 1\n", "a=one\ntwo\n;b=1"},
	{"\"k:x\": 1\nurl: http://h:1/p#q\n", "k:x=1;url=http://h:1/p#q"},
	{"a:\r\n  b: 1\r\n", "a/b=1"},
	{"a: 1\n---\nb: 2\n", "a=1"},
	{"a: 1\n...\n", "a=1"},
	{"a:\nb: 1\n", "b=1"},
	{"a: &x 1\n", NULL},
	{"a: *x\n", NULL},
	{"a: !t 1\n", NULL},
	{"a:\n\tb: 1\n", NULL},
	{"a: 1\n  b: 2\n", NULL},
	{"a: 1\n b: 2\n", NULL},
	{"  a: 1\nb: 2\n", NULL},
	{"a: \"open\n", NULL},
	{"a: [1, 2\n", NULL},
	{"a: 'x' y\n", NULL},
	{"word\nother\n", NULL},
	{"? a\n", NULL},
};

static const struct vector toml[] = {
	{"", ""},
	{"a = 1\n", "a=1"},
	{"a.b = true # c\n[t]\nx = \"s\"\n[t.'q.r'.u]\ny = 'lit\\n'\n", "a/b=true;t/x=s;t/q.r/u/y=lit\\n"},
	{"a = [ 1, 2,\n  3, # c\n]\n", "a/0=1;a/1=2;a/2=3"},
	{"a = []\nb = {}\nc = {x = 1, y = [\"z\"]}\n", "c/x=1;c/y/0=z"},
	{"[[t]]\na = 1\n[[t]]\na = 2\n", "t/0/a=1;t/1/a=2"},
	{"  [a]\r\n  b = \"\\t\\\"\"\r\n", "a/b=\t\""},
	{"imports = [\"/etc/containerd/conf.d/*.toml\"]\n", "imports/0=/etc/containerd/conf.d/*.toml"},
	{"a = \"open\n", NULL},
	{"a = [1, 2\n", NULL},
	{"[a\n", NULL},
	{"a\n", NULL},
	{"= 1\n", NULL},
	{"a =\n", NULL},
	{"a = 1 b = 2\n", "a=1 b = 2"},
	{"a = \"x\" y\n", NULL},
	{"a = \"\"\"long\"\"\"\n", NULL},
};

static const struct vector json[] = {
	{"{\"a\": {\"b\": [1, \"x\", true, null]}}", "a/b/0=1;a/b/1=x;a/b/2=true;a/b/3=null"},
	{"{}", ""},
	{"{\"a\": 1, \"a\": 2}", NULL},
	{"{", NULL},
	{"", NULL},
};

static void check(const struct vector *v, size_t count, parser parse)
{
	for (size_t i = 0; i < count; i++) {
		pit_auto_conf struct pit_conf c = {0};
		pit_auto_buf struct pit_buf flat = PIT_BUF_INIT;
		int rc = parse(v[i].text, &c, NULL);

		for (size_t j = 0; j < c.count; j++)
			pit_buf_printf(&flat, "%s%s=%s", j ? ";" : "", c.item[j].key, c.item[j].value);
		if (!v[i].flat && rc != -EBADMSG)
			fail_msg("not refused: %s", v[i].text);
		else if (v[i].flat && (rc || strcmp(v[i].flat, flat.data) != 0))
			fail_msg("%s\ngives %d %s\nnot   %s", v[i].text, rc, flat.data, v[i].flat);
	}
}

static void reads_yaml(void **state)
{
	check(yaml, PIT_COUNT(yaml), pit_conf_yaml);
}

static void reads_toml(void **state)
{
	check(toml, PIT_COUNT(toml), pit_conf_toml);
}

static void reads_json(void **state)
{
	check(json, PIT_COUNT(json), pit_conf_json);
}

static void names_lines(void **state)
{
	pit_auto_conf struct pit_conf c = {0};
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_conf_yaml("a: 1\n\nb: 2\nb: 3\n", &c, NULL), 0);
	assert_int_equal(pit_conf_find(&c, "b")->line, 4);
	assert_string_equal(pit_conf_get(&c, "b"), "3");
	assert_null(pit_conf_get(&c, "c"));
	assert_int_equal(pit_conf_yaml("a: 1\nb: *x\n", &c, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "line 2"));
}

static void bounds_depth(void **state)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
	pit_auto_conf struct pit_conf a = {0}, b = {0}, c = {0};

	pit_buf_puts(&text, "a = ");
	for (int i = 0; i < 5000; i++)
		pit_buf_putc(&text, '[');
	assert_int_equal(pit_conf_toml(text.data, &a, NULL), -EBADMSG);
	text.data[2] = ' ';
	text.data[1] = ':';
	assert_int_equal(pit_conf_yaml(text.data, &b, NULL), -EBADMSG);
	pit_buf_clear(&text);
	for (int i = 0; i < 1000; i++)
		pit_buf_puts(&text, "- ");
	assert_int_equal(pit_conf_yaml(text.data, &c, NULL), -EBADMSG);
}

static void reads_flags(void **state)
{
	static const char words[] =
		"/usr/bin/kubelet\0--cpu-manager-policy=static\0--v\0"
		"2\0--eviction-hard=memory.available<1Gi,nodefs.available<10%\0"
		"--kube-reserved=cpu=500m,memory=1Gi\0--reserved-cpus=0,8\0--pod-max-pids=64\0--fail-swap-on";
	pit_auto_conf struct pit_conf c = {0};

	assert_int_equal(pit_kube_parse_flags(words, sizeof(words), &c), 0);
	assert_string_equal(pit_conf_get(&c, "cpuManagerPolicy"), "static");
	assert_string_equal(pit_conf_get(&c, "v"), "2");
	assert_string_equal(pit_conf_get(&c, "evictionHard/memory.available"), "1Gi");
	assert_string_equal(pit_conf_get(&c, "evictionHard/nodefs.available"), "10%");
	assert_string_equal(pit_conf_get(&c, "kubeReserved/memory"), "1Gi");
	assert_string_equal(pit_conf_get(&c, "reservedSystemCPUs"), "0,8");
	assert_string_equal(pit_conf_get(&c, "podPidsLimit"), "64");
	assert_string_equal(pit_conf_get(&c, "failSwapOn"), "true");
}

static const struct {
	const char *text;
	int rc;
	uint64_t bytes;
} quantities[] = {
	{"0", 0, 0},
	{"1024", 0, 1024},
	{"1Ki", 0, 1024},
	{"1Gi", 0, UINT64_C(1) << 30},
	{"1.5Gi", 0, 1610612736},
	{"500M", 0, 500000000},
	{"1k", 0, 1000},
	{"", -EINVAL, 0},
	{"Gi", -EINVAL, 0},
	{"1GiB", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"9999999Pi", -ERANGE, 0},
	{"1.2.3", -EINVAL, 0},
};

static void reads_quantities(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(quantities); i++) {
		uint64_t bytes = 7;

		assert_int_equal(pit_kube_quantity(quantities[i].text, &bytes), quantities[i].rc);
		assert_int_equal(bytes, quantities[i].rc ? 7 : quantities[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_yaml),       cmocka_unit_test(reads_toml),   cmocka_unit_test(reads_json),
		cmocka_unit_test(names_lines),      cmocka_unit_test(bounds_depth), cmocka_unit_test(reads_flags),
		cmocka_unit_test(reads_quantities),
	};

	return cmocka_run_group_tests_name("kube", tests, NULL, NULL);
}
