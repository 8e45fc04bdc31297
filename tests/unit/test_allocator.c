/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <elf.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "launch/allocator.h"
#include "../tempdir.h"
#include "tree.h"

/* The first bytes of this very program, which are those of any library beside it (PIE), or of another machine. */
static size_t elf(unsigned char *out, size_t size, bool foreign)
{
	pit_auto_close int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, out, size);

	assert_true(n >= 64);
	out[offsetof(Elf64_Ehdr, e_type)] = ET_DYN;
	if (foreign)
		out[offsetof(Elf64_Ehdr, e_machine)] ^= 0x55;
	return (size_t)n;
}

static void put(const struct tree *t, const char *path, bool foreign)
{
	unsigned char bytes[256];

	assert_int_equal(tempdir_write(t->dir, path, bytes, elf(bytes, sizeof(bytes), foreign)), 0);
}

static const struct tree_file conf[] = {
	{"/etc/ld.so.conf", "# all\ninclude ld.so.conf.d/*.conf\n/opt/late\n"},
	{"/etc/ld.so.conf.d/a.conf", "/opt/first # why not\n/opt/with blank,/opt/second:/opt/third=libc6\n"},
	{"/etc/ld.so.conf.d/b.conf", "include /etc/ld.so.conf.d/b.conf\nhwcap 1 nosegneg\n"},
	{"/etc/ld.so.conf.d/c.off", "/opt/never\n"},
	{NULL, NULL},
};

static void finds_by_the_loaders_order(void **state)
{
	struct tree t = tree_open(conf);
	struct pit_error err = PIT_ERROR_INIT;
	pit_auto_strv struct pit_strv v = {0};

	put(&t, "/opt/never/libjemalloc.so.2", false);
	put(&t, "/opt/first/libjemalloc.so.2", true);
	put(&t, "/opt/third/libjemalloc.so.2", false);
	put(&t, "/usr/lib64/libjemalloc.so.2", false);
	assert_int_equal(pit_allocator_find(t.root, "jemalloc", &v, &err), 0);
	assert_int_equal(v.count, 2);
	assert_string_equal(v.item[0], "LD_PRELOAD=/opt/third/libjemalloc.so.2");
	assert_string_equal(v.item[1],
			    "MALLOC_CONF=narenas:8,dirty_decay_ms:10000,muzzy_decay_ms:10000,background_thread:true");
	tree_close(&t);
}

static void finds_tcmalloc(void **state)
{
	struct tree t = tree_open((struct tree_file[]){{NULL, NULL}});
	struct pit_error err = PIT_ERROR_INIT;
	pit_auto_strv struct pit_strv v = {0};

	put(&t, "/usr/lib/aarch64-linux-gnu/libtcmalloc.so.4", false);
	put(&t, "/usr/lib64/libtcmalloc_minimal.so.4.5.9", false);
	tempdir_link(t.dir, "/usr/lib64/libtcmalloc_minimal.so.4", "libtcmalloc_minimal.so.4.5.9");
	assert_int_equal(pit_allocator_find(t.root, "tcmalloc", &v, &err), 0);
	assert_int_equal(v.count, 3);
	assert_string_equal(v.item[0], "LD_PRELOAD=/usr/lib64/libtcmalloc_minimal.so.4");
	assert_string_equal(v.item[1], "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES=536870912");
	assert_string_equal(v.item[2], "TCMALLOC_RELEASE_RATE=16");
	tree_close(&t);
}

static void absence_names_the_package(void **state)
{
	struct tree t = tree_open(conf);
	struct pit_error err = PIT_ERROR_INIT;
	pit_auto_strv struct pit_strv v = {0};

	assert_int_equal(pit_allocator_find(t.root, "jemalloc", &v, &err), -ENOENT);
	assert_non_null(strstr(err.text, "libjemalloc2"));
	assert_int_equal(pit_allocator_find(t.root, "tcmalloc", &v, &err), -ENOENT);
	assert_non_null(strstr(err.text, "gperftools-libs"));
	assert_int_equal(pit_allocator_find(t.root, "mimalloc", &v, &err), -EINVAL);
	assert_non_null(strstr(err.text, "jemalloc, tcmalloc and system"));
	assert_int_equal(pit_allocator_find(t.root, "system", &v, &err), 0);
	assert_int_equal(v.count, 0);
	tree_close(&t);
}

static void judges_headers(void **state)
{
	unsigned char bytes[256];
	size_t len = elf(bytes, sizeof(bytes), false);

	assert_true(pit_allocator_fits(bytes, len));
	assert_false(pit_allocator_fits(bytes, 20));
	bytes[EI_CLASS] ^= 3;
	assert_false(pit_allocator_fits(bytes, len));
	len = elf(bytes, sizeof(bytes), true);
	assert_false(pit_allocator_fits(bytes, len));
	memcpy(bytes, "INPUT ( libjemalloc.so.2 )", 27); /* a linker script */
	assert_false(pit_allocator_fits(bytes, len));
}

/* Runs /bin/true with what was found; `out` gets what it wrote. */
static int run(const struct pit_strv *v, const char *more, char *out, size_t size)
{
	pit_auto_buf struct pit_buf line = PIT_BUF_INIT;
	FILE *p;

	pit_buf_puts(&line, "env ");
	for (size_t i = 0; i < v->count; i++)
		pit_buf_printf(&line, "'%s' ", v->item[i]);
	pit_buf_printf(&line, "%s timeout 20 grep -oE 'lib(jemalloc|tcmalloc[a-z_]*)[.]so' /proc/self/maps 2>&1", more);
	p = popen(line.data, "r");
	assert_non_null(p);
	size = fread(out, 1, size - 1, p);
	out[size] = '\0';
	return pclose(p);
}

/* The libraries themselves take what we give them. */
static void works_with_the_real_ones(void **state)
{
	static const struct {
		const char *name, *more, *wants[2], *wants_not;
	} rows[] = {
		{"jemalloc", "", {"libjemalloc.so"}, "Invalid"},
		{"tcmalloc", "", {"libtcmalloc"}, "Invalid"},
	};
	pit_auto_root struct pit_root *root = NULL;
	size_t found = 0;

	assert_int_equal(pit_root_open(NULL, &root, NULL), 0);
	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		pit_auto_strv struct pit_strv v = {0};
		char out[65536];

		if (pit_allocator_find(root, rows[i].name, &v, NULL))
			continue;
		found++;
		assert_int_equal(run(&v, rows[i].more, out, sizeof(out)), 0);
		assert_non_null(strstr(out, rows[i].wants[0]));
		assert_null(strstr(out, rows[i].wants_not)); /* jemalloc complains of options that it does not know */
		assert_null(strstr(out, "ERROR"));           /* and ld.so of a library that does not load */
	}
	if (!found) {
		print_message("SKIP: neither jemalloc nor tcmalloc is installed\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_the_loaders_order), cmocka_unit_test(finds_tcmalloc),
		cmocka_unit_test(absence_names_the_package),  cmocka_unit_test(judges_headers),
		cmocka_unit_test(works_with_the_real_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
