/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "check/facts.h"
#include "check/slurm_conf.h"
#include "check/slurm_gres.h"
#include "tree.h"

static const struct {
	const char *list, *host;
	bool has;
} hosts[] = {
	{"node1", "node1", true},
	{"node1", "node10", false},
	{"NODE1", "node1", true},
	{"node[1-3]", "node3", true},
	{"node[1-3]", "node4", false},
	{"node[01-16,20]", "node07", true},
	{"node[01-16,20]", "node7", false},
	{"node[01-16,20]", "node20", true},
	{"node[9-11]", "node10", true},
	{"node[9-11]", "node010", false},
	{"a,b[1-2],c", "b2", true},
	{"a,b[1-2],c", "c", true},
	{"rack[1-2]n[01-02]-ib", "rack2n01-ib", true},
	{"rack[1-2]n[01-02]-ib", "rack2n1-ib", false},
	{"r[1-9][0-9]", "r57", true},
	{"n[1-2", "n1", false},
	{"n[]", "n", false},
	{"n[2-1]", "n1", false},
	{"", "n", false},
	{"n[1-99999999999999999999]", "n5", false},
};

static void matches_hosts(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(hosts); i++)
		if (pit_slurm_hosts_have(hosts[i].list, hosts[i].host) != hosts[i].has)
			fail_msg("%s in %s", hosts[i].host, hosts[i].list);
}

static const struct {
	const char *list;
	int rc;
	const char *names;
} expansions[] = {
	{"/dev/nvidia[0-2]", 0, "/dev/nvidia0 /dev/nvidia1 /dev/nvidia2"},
	{"a[08-10],b", 0, "a08 a09 a10 b"},
	{"x[1-2]y[1,3]", 0, "x1y1 x1y3 x2y1 x2y3"},
	{"plain", 0, "plain"},
	{"", 0, ""},
	{"a[1-", -EBADMSG, ""},
	{"a[x]", -EBADMSG, ""},
	{"a[0-1000]", -E2BIG, ""},
	{"a[0-9][0-9]", -E2BIG, ""},
};

static void expands_hosts(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(expansions); i++) {
		pit_auto_strv struct pit_strv names = {0};
		pit_auto_buf struct pit_buf all = PIT_BUF_INIT;

		assert_int_equal(pit_slurm_hosts_expand(expansions[i].list, 20, &names), expansions[i].rc);
		if (expansions[i].rc)
			continue;
		for (size_t j = 0; j < names.count; j++)
			pit_buf_printf(&all, "%s%s", j ? " " : "", names.item[j]);
		assert_string_equal(all.data, expansions[i].names);
	}
}

static const char sample[] = "# comment = not read\n"
			     "ClusterName=lab\n"
			     "TaskPlugin = task/affinity,\\\n"
			     "task/cgroup # behind\n"
			     "\n"
			     "Epilog=\"/opt/my scripts/epilog\" Prolog=/p\\#1\r\n"
			     "taskplugin=task/none\n"
			     "NodeName=DEFAULT Sockets=2 \\\n"
			     "  CoresPerSocket=4\n"
			     "NodeName=n[01-02] Sockets=1 TaskPlugin=no\n"
			     "NodeName=n03 NodeHostname=spare\n"
			     "PartitionName=a Nodes=ALL\n"
			     "SlurmdParameters+=config_overrides\n";

static void reads_lines(void **state)
{
	pit_auto_slurm_conf struct pit_slurm_conf c = {0};
	const struct pit_slurm_line *line, *node;

	assert_int_equal(pit_slurm_conf_parse(sample, "slurm.conf", &c, NULL), 0);
	assert_string_equal(pit_slurm_get(&c, "TaskPlugin", &line), "task/none");
	assert_int_equal(line->line, 7);
	assert_string_equal(pit_slurm_get(&c, "epilog", &line), "/opt/my scripts/epilog");
	assert_int_equal(line->line, 6);
	assert_string_equal(pit_slurm_get(&c, "Prolog", NULL), "/p#1");
	assert_string_equal(pit_slurm_get(&c, "SlurmdParameters", NULL), "config_overrides");
	assert_null(pit_slurm_get(&c, "Sockets", NULL));
	node = pit_slurm_node(&c, "n02.lab.example");
	assert_non_null(node);
	assert_string_equal(pit_slurm_node_get(&c, node, "Sockets"), "1");
	assert_string_equal(pit_slurm_node_get(&c, node, "corespersocket"), "4");
	assert_null(pit_slurm_node_get(&c, node, "RealMemory"));
	assert_ptr_equal(pit_slurm_node(&c, "spare"), pit_slurm_node(&c, "n03"));
	assert_null(pit_slurm_node(&c, "DEFAULT"));
	assert_null(pit_slurm_node(&c, "login"));
}

static void refuses_other_texts(void **state)
{
	static const char *const bad[] = {"just words\n", "=x\n", "Key=\"open\n", "Key=1 rest\n", "\xff\xfe\n"};

	for (size_t i = 0; i < PIT_COUNT(bad); i++) {
		pit_auto_slurm_conf struct pit_slurm_conf c = {0};
		struct pit_error err = PIT_ERROR_INIT;

		assert_int_equal(pit_slurm_conf_parse(bad[i], "f", &c, &err), -EBADMSG);
		assert_string_equal(err.text, "f:1: not a line of KEY=value pairs");
	}
}

static void follows_includes(void **state)
{
	static const struct tree_file files[] = {
		{"/etc/slurm/slurm.conf", "ClusterName=lab\nInclude nodes-%c.conf\nInclude /opt/x.conf\n"},
		{"/etc/slurm/nodes-lab.conf", "NodeName=a\n"},
		{"/opt/x.conf", "SelectType=select/linear\n"},
		{.path = NULL},
	};
	pit_auto_slurm_conf struct pit_slurm_conf c = {0};
	const struct pit_slurm_line *line;
	struct tree t = tree_open(files);

	assert_int_equal(pit_slurm_conf_load(t.root, "slurm.conf", &c, NULL), 0);
	assert_string_equal(pit_slurm_get(&c, "SelectType", &line), "select/linear");
	assert_string_equal(line->file, "/opt/x.conf");
	assert_non_null(pit_slurm_node(&c, "a"));
	tree_close(&t);
}

static const struct {
	const char *gres;
	int rc;
	uint64_t count;
	bool typed;
} gres[] = {
	{"gpu:8", 0, 8, false},
	{"gpu", 0, 1, false},
	{"gpu:a100:8(S:0-1)", 0, 8, true},
	{"gpu:a100:2(S:0,1),gpu:h100:4,nic:2", 0, 6, true},
	{"gpu:tesla:2,gpu:3", 0, 5, false},
	{"gpu:tesla", 0, 1, true},
	{"gpumem:80,shard:4", 0, 0, true},
	{"", 0, 0, true},
};

static void counts_gpus(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(gres); i++) {
		uint64_t count;
		bool typed;

		assert_int_equal(pit_slurm_gres_gpus(gres[i].gres, &count, &typed), gres[i].rc);
		assert_int_equal(count, gres[i].count);
		if (count && strcmp(gres[i].gres, "gpu:tesla") != 0)
			assert_int_equal(typed, gres[i].typed);
	}
}

static const struct {
	const char *text;
	size_t gpus;
	bool good;
} links[] = {
	{"-1,4,4,4", 4, true}, {"4,-1", 2, true},   {"-1", 1, true},     {"0,0,-1,,0,0,0,0,0", 8, false},
	{"0,-1,0", 2, false},  {"0,0", 2, false},   {"-1,-1", 2, false}, {"", 1, false},
	{"a,-1", 2, false},    {"0,-1,", 2, false}, {"-2,-1", 2, false}, {"4,-1,4", 0, true},
};

static void judges_links(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(links); i++)
		assert_int_equal(!pit_slurm_gres_links(links[i].text, links[i].gpus), links[i].good);
}

/* The pairs of slurm.conf and gres.conf of Slurm's own tests: 1 to 4 are right, 5 to 7 are not. */
static const struct {
	const char *name, *wrong; /* the row that finds it; NULL none */
} pairs[] = {
	{"test7.17.1", NULL},
	{"test7.17.2", NULL},
	{"test7.17.3", NULL},
	{"test7.17.4", NULL},
	{"test7.17.5", "slurm.gres-conf"},
	{"test7.17.6", "slurm.gres-conf"},
	{"test7.17.7", "slurm.gres-cores"},
};
static const char *const gres_rows[] = {"slurm.gres-types", "slurm.gres-conf", "slurm.gres-cores", "slurm.gres-links"};

static void judge_pair(const char *name, const char *wrong, const char *slurm, const char *gres_conf)
{
	const struct tree_file files[] = {
		{"/proc/sys/kernel/hostname", "test_node3\n"},
		{"/etc/slurm/slurm.conf", slurm},
		{gres_conf ? "/etc/slurm/gres.conf" : NULL, gres_conf},
		{.path = NULL},
	};
	const struct pit_facts_options options = {.workload = PIT_TRAINING};
	struct tree t = tree_open(files);
	struct pit_facts *facts;
	bool found = false;

	assert_int_equal(pit_facts_new(t.root, &options, &facts, NULL), 0);
	for (size_t i = 0; i < PIT_COUNT(gres_rows); i++) {
		struct pit_finding f;

		pit_check_eval(pit_catalog_find(gres_rows[i]), facts, &f);
		if (!wrong && f.status == PIT_FAIL)
			fail_msg("%s: %s says %s", name, gres_rows[i], f.observed);
		found |= wrong && !strcmp(wrong, gres_rows[i]) && f.status == PIT_FAIL;
		pit_finding_clear(&f);
	}
	if (wrong && !found)
		fail_msg("%s: %s does not object", name, wrong);
	pit_facts_free(facts);
	tree_close(&t);
}

static void agrees_with_slurms_tests(void **state)
{
	char dir[512];

	if (!tree_cases("outputs/slurm/schedmd-testsuite/expect/test7.17_configs", dir, sizeof(dir))) {
		print_message("SKIP: ../shared/cases not present (Slurm's test7.17)\n");
		skip();
	}
	for (size_t i = 0; i < PIT_COUNT(pairs); i++) {
		pit_auto_free char *slurm = tree_slurp("%s/%s/slurm.conf", dir, pairs[i].name);
		pit_auto_free char *gres_conf = tree_slurp("%s/%s/gres.conf", dir, pairs[i].name);

		assert_non_null(slurm);
		judge_pair(pairs[i].name, pairs[i].wrong, slurm, gres_conf);
	}
}

/* The other configurations there parse. */
static void reads_topology_tests(void **state)
{
	char dir[512];

	if (!tree_cases("outputs/slurm/schedmd-testsuite/python/tests/test_133_1_testcases", dir, sizeof(dir))) {
		print_message("SKIP: ../shared/cases not present (Slurm's test_133_1)\n");
		skip();
	}
	for (int i = 1; i <= 6; i++) {
		pit_auto_slurm_conf struct pit_slurm_conf c = {0};
		pit_auto_free char *text = tree_slurp("%s/testcase%d/slurm.conf", dir, i);

		assert_non_null(text);
		assert_int_equal(pit_slurm_conf_parse(text, "slurm.conf", &c, NULL), 0);
		assert_non_null(pit_slurm_get(&c, "ClusterName", NULL));
	}
}

/* issue-facts: the CPU ids of a DGX A100 in place of core ids, a typing error in Links, SMT that is not configured. */
static void agrees_with_field_reports(void **state)
{
	static const char dgx[] = "GresTypes=gpu\nNodeName=test_node[1-9] Sockets=2 CoresPerSocket=64 ThreadsPerCore=2 "
				  "Gres=gpu:2\n";

	judge_pair("deepops#1195", "slurm.gres-cores", dgx,
		   "Name=gpu File=/dev/nvidia0 CPUs=48-63,176-191\nName=gpu File=/dev/nvidia1 CPUs=48-63,176-191\n");
	judge_pair("deepops#1195 corrected", NULL, dgx,
		   "Name=gpu File=/dev/nvidia0 Cores=48-63\nName=gpu File=/dev/nvidia1 Cores=16-31\n");
	judge_pair("deepops#1102", "slurm.gres-links", dgx,
		   "Name=gpu File=/dev/nvidia0 Cores=16-31 Links=0,0,-1,,0\nName=gpu File=/dev/nvidia1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_hosts),        cmocka_unit_test(expands_hosts),
		cmocka_unit_test(reads_lines),          cmocka_unit_test(refuses_other_texts),
		cmocka_unit_test(follows_includes),     cmocka_unit_test(counts_gpus),
		cmocka_unit_test(judges_links),         cmocka_unit_test(agrees_with_slurms_tests),
		cmocka_unit_test(reads_topology_tests), cmocka_unit_test(agrees_with_field_reports),
	};

	return cmocka_run_group_tests_name("slurm", tests, NULL, NULL);
}
