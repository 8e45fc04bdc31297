/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/cleanup.h"
#include "check/pci_config.h"

static const struct {
	const char *name;
	size_t len;
	struct {
		unsigned offset, value; /* 32 bits */
	} put[4];
	bool extended;
	unsigned id;
	int rc;
	size_t at;
} vectors[] = {
	{"found", 256, {{0x04, 0x100000}, {0x34, 0x40}, {0x40, 0x6001}, {0x60, 0x10}}, false, 0x10, 0, 0x60},
	{"not there", 256, {{0x04, 0x100000}, {0x34, 0x40}, {0x40, 0x01}}, false, 0x10, -ENOENT, 0},
	{"no list", 256, {{0x34, 0x40}, {0x40, 0x10}}, false, 0x10, -ENOENT, 0},
	{"user", 64, {{0x04, 0x100000}, {0x34, 0x40}}, false, 0x10, -EPERM, 0},
	{"circle", 256, {{0x04, 0x100000}, {0x34, 0x40}, {0x40, 0x4001}}, false, 0x10, -EBADMSG, 0},
	{"into the header", 256, {{0x04, 0x100000}, {0x34, 0x40}, {0x40, 0x2001}}, false, 0x10, -EBADMSG, 0},
	{"short", 16, {{0x04, 0x100000}}, false, 0x10, -EBADMSG, 0},
	{"all ones", 256, {{0x04, 0xffffffff}, {0x34, 0xffffffff}, {0xfc, 0xffffffff}}, false, 0x10, -EBADMSG, 0},
	{"extended", 4096, {{0x100, 0x14810001}, {0x148, 0x0001000d}}, true, 0x0d, 0, 0x148},
	{"extended, not there", 4096, {{0x100, 0x00010001}}, true, 0x0d, -ENOENT, 0},
	{"extended, empty", 4096, {{0, 0}}, true, 0x0d, -ENOENT, 0},
	{"extended, circle", 4096, {{0x100, 0x10010001}}, true, 0x0d, -EBADMSG, 0},
	{"extended, conventional device", 256, {{0, 0}}, true, 0x0d, -ENOENT, 0},
	{"extended, user", 64, {{0, 0}}, true, 0x0d, -EPERM, 0},
	{"extended, past the end", 0x110, {{0x100, 0xff810001}}, true, 0x0d, -ENOENT, 0},
};

static void walks_capabilities(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(vectors); i++) {
		unsigned char bytes[4096] = {0};
		struct pit_text config = {.data = (const char *)bytes, .len = vectors[i].len};
		size_t at = 0;

		for (size_t j = 0; j < 4; j++)
			for (size_t k = 0; k < 4; k++)
				bytes[vectors[i].put[j].offset + k] |=
					(unsigned char)(vectors[i].put[j].value >> k * 8);
		print_message("# %s\n", vectors[i].name);
		assert_int_equal((vectors[i].extended ? pit_config_extended
						      : pit_config_capability)(&config, vectors[i].id, &at),
				 vectors[i].rc);
		assert_int_equal(at, vectors[i].at);
	}
}

static void reads_express_words(void **state)
{
	assert_int_equal(pit_express_payload_max(0x8002), 512);
	assert_int_equal(pit_express_payload(0x5130), 256);
	assert_int_equal(pit_express_read_request(0x5130), 4096);
	assert_true(pit_express_relaxed(0x5130));
	assert_false(pit_express_relaxed(0x5120));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_capabilities),
		cmocka_unit_test(reads_express_words),
	};

	return cmocka_run_group_tests_name("pci_config", tests, NULL, NULL);
}
