/* SPDX-License-Identifier: MIT
 *
 * Profiles: their text, includes, and choosing from them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../tempdir.h"
#include "tune/profile.h"

static struct pit_profile parse(const char *text)
{
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_profile p = {0};
	pit_auto_free char *include = NULL;

	if (pit_profile_parse(text, "test.ini", &p, &include, &err))
		fail_msg("%s", err.text);
	return p;
}

static const struct pit_setting *find(const struct pit_profile *p, const char *id, const char *which)
{
	for (size_t i = 0; i < p->settings; i++) {
		const struct pit_setting *s = &p->setting[i];

		if (!strcmp(s->knob->id, id) && !strcmp(s->which ? s->which : "", which))
			return s;
	}
	return NULL;
}

static void reads_all_that_a_file_says(void **state)
{
	static const char text[] = "# a comment\n"
				   "[profile]\r\n"
				   "summary = hosts that train\n"
				   "workload=inference\n"
				   "include = base\n"
				   "; another\n"
				   "\n"
				   "[ vm.swappiness ]\n"
				   "  value  =  <=10  \n"
				   "why=because = it is so\n"
				   "source = somebody\n"
				   "[block.readahead   nvme*]\n"
				   "value = >=4096"; /* no newline at the end */
	struct pit_profile p = {0};
	pit_auto_free char *include = NULL;
	const struct pit_setting *s;

	assert_int_equal(pit_profile_parse(text, "dir/test.ini", &p, &include, NULL), 0);
	assert_string_equal(p.file, "dir/test.ini");
	assert_string_equal(p.summary, "hosts that train");
	assert_string_equal(p.workload, "inference");
	assert_string_equal(include, "base");
	assert_int_equal(p.settings, 2);
	s = find(&p, "vm.swappiness", "");
	assert_string_equal(s->value, "<=10");
	assert_string_equal(s->why, "because = it is so");
	assert_string_equal(s->source, "somebody");
	assert_string_equal(s->where, "dir/test.ini:8");
	assert_string_equal(find(&p, "block.readahead", "nvme*")->where, "dir/test.ini:12");
	pit_profile_free(&p);
	assert_null(p.setting);
}

static void says_where_a_file_is_wrong(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{"[vm.swapiness]\nvalue = 1\n", "f:1: no knob is named 'vm.swapiness' (near: vm.swappiness)"},
		{"[vm.swappiness]\nvalue = ten\n", "f:1: vm.swappiness: 'ten' is not a number"},
		{"[vm.swappiness]\nvalue = 100000\n", "f:1: vm.swappiness: 100000 is not from"},
		{"[thp.enabled]\nvalue = sometimes\n", "f:1: thp.enabled: 'sometimes' is none of"},
		{"\n[vm.swappiness]\nwhy = x\n", "f:2: [vm.swappiness] has no line 'value = ...'"},
		{"[vm.swappiness]\nvalue = 1\n[vm.swappiness]\nvalue = 2\n",
		 "f:3: [vm.swappiness] stands here twice, first in line 1"},
		{"[block.readahead sd*]\nvalue = 1\n[block.readahead   sd*]\nvalue = 2\n",
		 "f:3: [block.readahead sd*] stands here twice, first in line 1"},
		{"[vm.swappiness]\nvalue = 1\nvalue = 2\n", "f:3: 'value' stands twice in one section"},
		{"[vm.swappiness]\nvalues = 1\n", "f:2: there is no key 'values' in a knob's section"},
		{"[profile]\nvalue = 1\n", "f:2: there is no key 'value' in [profile]"},
		{"[profile]\n[profile]\n", "f:2: [profile] stands here twice"},
		{"[profile x]\n", "f:1: [profile] takes no further words"},
		{"[profile]\nworkload = traning\n", "f:2: workload 'traning' is not known"},
		{"value = 1\n", "f:1: 'value' stands before the first section"},
		{"[vm.swappiness\nvalue = 1\n", "f:1: '[vm.swappiness' begins a section without a ']'"},
		{"[vm.swappiness]\nvalue\n", "f:2: 'value' is neither '[SECTION]' nor 'KEY = VALUE'"},
		{"[vm.swappiness]\nvalue =\n", "f:2: 'value' has no value"},
		{"[vm.swappiness]\nvalue = 1\nwhy = a\033[31mb\n", "f:3: a control character (0x1b)"},
		{"[]\n", "f:1: no knob is named ''"},
	};

	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		struct pit_profile p = {.settings = 77};
		char *include = (char *)"untouched";
		struct pit_error err = PIT_ERROR_INIT;

		assert_int_equal(pit_profile_parse(rows[i].text, "f", &p, &include, &err), -EBADMSG);
		if (strncmp(err.text, rows[i].said, strlen(rows[i].said)) != 0)
			fail_msg("'%s' says '%s' instead of '%s'", rows[i].text, err.text, rows[i].said);
		assert_int_equal(p.settings, 77);
		assert_string_equal(include, "untouched");
	}
}

static void keeps_the_order_of_the_table(void **state)
{
	struct pit_profile p = {0},
			   part = parse("[net.core.rmem_max]\nvalue = 1000000\n[block.readahead sd*]\nvalue = 1\n"
					"[vm.swappiness]\nvalue = 1\n[block.readahead nvme*]\nvalue = 2\n");
	size_t at[4] = {0};

	assert_int_equal(pit_profile_merge(&p, &part), 0);
	assert_int_equal(part.settings, 0);
	assert_int_equal(p.settings, 4);
	for (size_t i = 0; i < 4; i++)
		at[i] = (size_t)(find(&p,
				      (const char *[]){"vm.swappiness", "net.core.rmem_max", "block.readahead",
						       "block.readahead"}[i],
				      (const char *[]){"", "", "sd*", "nvme*"}[i]) -
				 p.setting);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(at[i], i);
	pit_profile_free(&p);
}

static void later_sections_replace_and_take_away(void **state)
{
	struct pit_profile p = {0};
	struct pit_profile first = parse("[profile]\nsummary = one\nworkload = inference\n[vm.swappiness]\nvalue = 60\n"
					 "[thp.enabled]\nvalue = always\n[block.readahead sd*]\nvalue = 128\n");
	struct pit_profile second =
		parse("[profile]\nsummary = two\n[vm.swappiness]\nvalue = 1\n[thp.enabled]\nvalue = keep\n"
		      "[block.readahead]\nvalue = 256\n");

	assert_int_equal(pit_profile_merge(&p, &first), 0);
	assert_int_equal(pit_profile_merge(&p, &second), 0);
	assert_string_equal(p.summary, "two");
	assert_string_equal(p.workload, "inference");
	assert_string_equal(find(&p, "vm.swappiness", "")->value, "1");
	assert_null(find(&p, "thp.enabled", ""));
	assert_string_equal(find(&p, "block.readahead", "sd*")->value, "128");
	assert_string_equal(find(&p, "block.readahead", "")->value, "256");
	assert_int_equal(p.settings, 3);
	pit_profile_free(&p);
}

static void load_fails(const char *path, int rc, const char *said)
{
	struct pit_profile p = {.settings = 77};
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_profile_load(path, &p, &err), rc);
	if (!strstr(err.text, said))
		fail_msg("%s says '%s', not '%s'", path, err.text, said);
	assert_int_equal(p.settings, 77);
}

static void includes_files(void **state)
{
	char dir[64], path[128];
	struct pit_profile p = {0};

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/base.ini",
		     "[profile]\nworkload = inference\n[vm.swappiness]\nvalue = 60\n[thp.enabled]\nvalue = never\n");
	tempdir_file(dir, "/sub/top.ini",
		     "[profile]\nsummary = top\ninclude = ../base.ini\n[vm.swappiness]\nvalue = 1\n");
	snprintf(path, sizeof(path), "%s/sub/top.ini", dir);
	assert_int_equal(pit_profile_load(path, &p, NULL), 0);
	assert_string_equal(p.name, path);
	assert_string_equal(p.file, path);
	assert_string_equal(p.summary, "top");
	assert_string_equal(p.workload, "inference");
	assert_string_equal(find(&p, "vm.swappiness", "")->value, "1");
	assert_non_null(strstr(find(&p, "thp.enabled", "")->where, "/base.ini:5"));
	pit_profile_free(&p);
	tempdir_remove(dir);
}

/* Loads DIR/sub/top.ini, which includes DIR/base.ini, with these modes; what is doubted about it in `ret`. */
static void doubt_of(mode_t base, mode_t top, mode_t sub, uid_t owner, char *ret, size_t size)
{
	char dir[64], path[128];
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_profile p = {0};

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/base.ini", "[vm.swappiness]\nvalue = 60\n");
	tempdir_file(dir, "/sub/top.ini", "[profile]\ninclude = ../base.ini\n");
	snprintf(path, sizeof(path), "%s/base.ini", dir);
	assert_int_equal(chmod(path, base), 0);
	assert_int_equal(chown(path, owner, 4712), 0);
	snprintf(path, sizeof(path), "%s/sub", dir);
	assert_int_equal(chown(path, (uid_t)-1, 4712), 0);
	assert_int_equal(chmod(path, sub), 0);
	snprintf(path, sizeof(path), "%s/sub/top.ini", dir);
	assert_int_equal(chmod(path, top), 0);
	assert_int_equal(pit_profile_load(path, &p, NULL), 0);
	assert_int_equal(p.local.count, 2);
	assert_string_equal(p.local.item[0], path);
	assert_int_equal(pit_profile_trust(&p, &err), p.doubt ? -EPERM : 0);
	assert_int_equal(!p.doubt, !strstr(err.text, "not to be trusted"));
	snprintf(ret, size, "%s", p.doubt ? p.doubt + strlen(dir) : "");
	pit_profile_free(&p);
	tempdir_remove(dir);
}

static void doubts_what_others_can_write(void **state)
{
	static const struct {
		mode_t base, top, sub;
		uid_t owner;
		const char *doubt;
	} rows[] = {
		{0644, 0644, 0755, 0, ""},
		{0600, 0640, 01777, 0, ""},
		{0646, 0644, 0755, 0, "/base.ini can be written by everybody"},
		{0664, 0644, 0755, 0, "/base.ini can be written by its group"},
		{0644, 0666, 0755, 0, "/sub/top.ini can be written by everybody"},
		{0644, 0644, 0777, 0, "/sub can be written by everybody"},
		{0644, 0644, 0775, 0, "/sub can be written by its group"},
		{0644, 0644, 0755, 4711, "/base.ini belongs to user 4711, who is neither root nor you"},
	};
	char said[200];

	if (geteuid()) {
		print_message("SKIP: only root can give files away\n");
		return;
	}
	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		doubt_of(rows[i].base, rows[i].top, rows[i].sub, rows[i].owner, said, sizeof(said));
		assert_string_equal(said, rows[i].doubt);
	}
	assert_int_equal(setenv("SUDO_UID", "4711", 1), 0);
	doubt_of(0644, 0644, 0755, 4711, said, sizeof(said));
	assert_int_equal(unsetenv("SUDO_UID"), 0);
	assert_string_equal(said, "");
}

static void refuses_circles_and_depth(void **state)
{
	char dir[64], path[128], name[32], text[64];

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/a.ini", "[profile]\ninclude = b.ini\n");
	tempdir_file(dir, "/b.ini", "[profile]\ninclude = ./a.ini\n");
	snprintf(path, sizeof(path), "%s/a.ini", dir);
	load_fails(path, -ELOOP, "includes itself");
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "/d%d.ini", i);
		snprintf(text, sizeof(text), "[profile]\ninclude = ./d%d.ini\n", i + 1);
		tempdir_file(dir, name, i < 8 ? text : "[vm.swappiness]\nvalue = 1\n");
	}
	snprintf(path, sizeof(path), "%s/d0.ini", dir);
	load_fails(path, -ELOOP, "more than 8 deep");
	snprintf(path, sizeof(path), "%s/d1.ini", dir);
	struct pit_profile p = {0};

	assert_int_equal(pit_profile_load(path, &p, NULL), 0);
	pit_profile_free(&p);
	tempdir_remove(dir);
}

static void refuses_what_is_no_text(void **state)
{
	static const char nul[] = "[vm.swappiness]\nvalue = 1\0\n";
	char dir[64], path[128];

	tempdir_new(dir, sizeof(dir));
	tempdir_write(dir, "/nul.ini", nul, sizeof(nul) - 1);
	snprintf(path, sizeof(path), "%s/nul.ini", dir);
	load_fails(path, -EBADMSG, "NUL");
	load_fails(dir, -EINVAL, "is not a file");
	load_fails("/dev/zero", -EINVAL, "is not a file");
	load_fails("/no/such.ini", -ENOENT, "/no/such.ini");
	load_fails("a b", -EINVAL, "is no name of a profile");
	load_fails("", -EINVAL, "is no name of a profile");
	load_fails("no-such-profile", -ENOENT, "no profile is named 'no-such-profile'; there are: ");
	tempdir_remove(dir);
}

static void takes_single_knobs(void **state)
{
	struct pit_profile values = parse(
		"[vm.swappiness]\nvalue = 10\n[block.readahead sd*]\nvalue = 1\n[block.readahead nvme*]\nvalue = 2\n");
	struct pit_profile p = {0};
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_profile_add_knob(&p, "vm.swappiness=60", &values, &err), 0);
	assert_string_equal(find(&p, "vm.swappiness", "")->value, "60");
	assert_string_equal(find(&p, "vm.swappiness", "")->where, "--knob");
	assert_int_equal(pit_profile_add_knob(&p, "vm.swappiness", &values, &err), 0);
	assert_string_equal(find(&p, "vm.swappiness", "")->value, "10");
	assert_int_equal(pit_profile_add_knob(&p, "block.readahead", &values, &err), 0);
	assert_int_equal(p.settings, 3);
	assert_int_equal(pit_profile_add_knob(&p, "block.readahead:nvme*=>=8192", &values, &err), 0);
	assert_string_equal(find(&p, "block.readahead", "nvme*")->value, ">=8192");
	assert_int_equal(pit_profile_add_knob(&p, "block.readahead:sd*", &values, &err), 0);
	assert_int_equal(p.settings, 3);
	assert_int_equal(pit_profile_add_knob(&p, "block.readahead:vd*", &values, &err), -ENOENT);
	assert_int_equal(pit_profile_add_knob(&p, "thp.enabled", &values, &err), -ENOENT);
	assert_non_null(strstr(err.text, "thp.enabled=VALUE"));
	assert_int_equal(pit_profile_add_knob(&p, "thp.enabled", NULL, &err), -ENOENT);
	assert_int_equal(pit_profile_add_knob(&p, "thp.enable=always", &values, &err), -ENOENT);
	assert_non_null(strstr(err.text, "near: thp.enabled"));
	assert_int_equal(pit_profile_add_knob(&p, "thp.enabled=perhaps", &values, &err), -EINVAL);
	assert_int_equal(pit_profile_add_knob(&p, "thp.enabled:=always", &values, &err), -EINVAL);
	assert_int_equal(pit_profile_add_knob(&p, "thp.enabled=", &values, &err), -EINVAL);
	assert_int_equal(p.settings, 3);
	pit_profile_free(&p);
	pit_profile_free(&values);
}

static void selects_settings(void **state)
{
	static const char text[] =
		"[vm.swappiness]\nvalue = 10\n[vm.max_map_count]\nvalue = 262144\n[thp.enabled]\nvalue = never\n";
	struct pit_profile p = parse(text);
	struct pit_error err = PIT_ERROR_INIT;

	assert_int_equal(pit_profile_only(&p, "vm.*,thp.defrag", &err), 0);
	assert_int_equal(p.settings, 2);
	assert_int_equal(pit_profile_skip(&p, "vm.max_map_count", &err), 0);
	assert_int_equal(p.settings, 1);
	assert_string_equal(p.setting[0].knob->id, "vm.swappiness");
	assert_int_equal(pit_profile_skip(&p, "vm.swapiness", &err), -ENOENT);
	assert_non_null(strstr(err.text, "near: vm.swappiness"));
	assert_int_equal(pit_profile_only(&p, " , ", &err), -ENOENT);
	assert_int_equal(pit_profile_only(&p, "gpus.*", &err), -ENOENT);
	assert_int_equal(p.settings, 1);
	pit_profile_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_that_a_file_says),
		cmocka_unit_test(says_where_a_file_is_wrong),
		cmocka_unit_test(keeps_the_order_of_the_table),
		cmocka_unit_test(later_sections_replace_and_take_away),
		cmocka_unit_test(includes_files),
		cmocka_unit_test(doubts_what_others_can_write),
		cmocka_unit_test(refuses_circles_and_depth),
		cmocka_unit_test(refuses_what_is_no_text),
		cmocka_unit_test(takes_single_knobs),
		cmocka_unit_test(selects_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
