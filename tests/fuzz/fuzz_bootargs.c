/* SPDX-License-Identifier: MIT
 *
 * Kernel command lines and the files that hold them: /etc/default/grub and grub.d, grub.cfg, boot entries with grubenv,
 * /etc/kernel/cmdline.
 */
#include "fuzz.h"
#include "tune/boot_args.h"
#include "tune/boot_grub.h"

/* Taking an argument out leaves none; setting it makes it count, and doing so twice changes nothing. */
static void edit(const char *line, const char *name, const char *word)
{
	pit_auto_buf struct pit_buf once = PIT_BUF_INIT, twice = PIT_BUF_INIT;
	pit_auto_strv struct pit_strv words = {0};

	pit_boot_arg_edit(line, name, word, &once);
	pit_boot_arg_edit(once.data, name, word, &twice);
	if (pit_boot_args_split(once.data, &words))
		abort();
	if (pit_boot_arg_holds(&words, name, word) == false)
		abort();
	if (!word && strcmp(once.data, twice.data) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	const char *second = size ? text + strlen(text) / 2 : text;
	pit_auto_strv struct pit_strv cfg = {0}, bls = {0}, words = {0};
	pit_auto_buf struct pit_buf of = PIT_BUF_INIT, word = PIT_BUF_INIT;

	(void)pit_grub_cfg_args(text, &cfg);
	(void)pit_bls_args(text, second, &bls);
	(void)pit_grub_reads_d(text);
	(void)pit_grub_overrides(text, "iommu");
	(void)pit_boot_args_split(text, &words);
	pit_boot_arg_of(&words, "iommu", &of);
	if (!pit_boot_arg_word("iommu", text, &word, NULL) && word.len && strpbrk(word.data, " \t\n\"'$`\\"))
		abort();
	if (!strchr(text, '"')) {
		edit(text, "iommu", "iommu=pt");
		edit(text, "iommu", NULL);
	}
	free(text);
	return 0;
}
