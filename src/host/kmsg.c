/* SPDX-License-Identifier: MIT */
#include "host/kmsg.h"

#include <fcntl.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Longest record of /dev/kmsg (PRINTKRB_RECORD_MAX and PRINTK_MESSAGE_MAX, 8192 at most) and some more. */
#define RECORD_MAX 16384

#define KLOG_READ_ALL 3
#define KLOG_SIZE 10

/* Keeps the newer half of a log that has become too long. */
static void halve(struct pit_buf *b)
{
	char *cut = b->len > PIT_ROOT_FILE_MAX ? memchr(b->data + b->len / 2, '\n', b->len - b->len / 2) : NULL;

	if (!cut)
		return;
	b->len -= (size_t)(cut + 1 - b->data);
	memmove(b->data, cut + 1, b->len + 1);
}

/* Every record that is there now. A flood of messages ends it too. */
static int read_records(int fd, struct pit_buf *out)
{
	char record[RECORD_MAX];

	for (size_t total = 0; total < 4 * (size_t)PIT_ROOT_FILE_MAX;) {
		ssize_t n = read(fd, record, sizeof(record));

		if (n < 0 &&
		    (errno == EPIPE || errno == EINTR)) /* EPIPE: that record was overwritten, the next is due */
			continue;
		if (n <= 0)
			return n && errno != EAGAIN ? -errno : 0;
		pit_buf_add(out, record, (size_t)n);
		total += (size_t)n;
		halve(out);
	}
	return 0;
}

static int read_dev_kmsg(struct pit_buf *out)
{
	pit_auto_close int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 11))
		return -ENODEV; /* containers put other things there */
	return read_records(fd, out);
}

static int read_syslog(struct pit_buf *out)
{
	int size = klogctl(KLOG_SIZE, NULL, 0), n;

	if (size < 0)
		size = 1 << 18;
	if (pit_buf_reserve(out, (size_t)size))
		return -ENOMEM;
	n = klogctl(KLOG_READ_ALL, out->data, size);
	if (n < 0)
		return -errno;
	out->data[n] = '\0';
	out->len = (size_t)n;
	return 0;
}

static int make_kmsg(const char *name, void *arg, struct pit_buf *out)
{
	int rc = read_dev_kmsg(out), second;

	if (!rc)
		return 0;
	pit_buf_clear(out);
	second = read_syslog(out);
	if (!second)
		return 0;
	return second == -ENOSYS ? rc : second;
}

/* Logs outlive a boot: what stands before the last start of a kernel is history. */
static void drop_earlier_boots(struct pit_kmsg *k)
{
	size_t first = k->count;

	while (first-- > 0)
		if (!strncmp(k->item[first].text, "Linux version ", 14))
			break;
	if (first == 0 || first >= k->count)
		return;
	for (size_t i = 0; i < first; i++)
		free(k->item[i].text);
	memmove(k->item, k->item + first, (k->count - first) * sizeof(*k->item));
	k->count -= first;
}

/* A crash leaves runs of NUL bytes in logs. */
static int parse_bytes(const struct pit_text *text, struct pit_kmsg *ret)
{
	pit_auto_free char *copy = NULL;

	if (!memchr(text->data, '\0', text->len))
		return pit_kmsg_parse(text->data, ret);
	copy = malloc(text->len + 1);
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < text->len; i++)
		copy[i] = text->data[i] ? text->data[i] : '\n';
	copy[text->len] = '\0';
	return pit_kmsg_parse(copy, ret);
}

/* Where logs are kept, the fullest and least mixed first. */
static const struct {
	const char *path;
	bool live; /* also read on the live machine: it holds nothing but the kernel's messages */
} files[] = {
	{"/dmesg", false},           {"/sos_commands/kernel/dmesg", false},
	{"/var/log/kern.log", true}, {"/var/log/messages", false},
	{"/var/log/syslog", false},  {"/var/log/dmesg", true},
};

static int load_file(struct pit_root *root, const char *path, struct pit_kmsg *ret)
{
	struct pit_kmsg k = {0};
	struct pit_text text;
	int rc = pit_root_read(root, &text, "%s", path);

	if (!rc)
		rc = parse_bytes(&text, &k);
	if (!rc && !k.count)
		rc = -ENOENT;
	if (rc)
		return rc;
	drop_earlier_boots(&k);
	k.source = path;
	*ret = k;
	return 0;
}

int pit_kmsg_load(struct pit_root *root, struct pit_kmsg *ret, struct pit_error *err)
{
	struct pit_kmsg k = {0};
	struct pit_text text;
	int rc = pit_root_fact(root, "kmsg", make_kmsg, NULL, &text);

	if (!rc) {
		rc = parse_bytes(&text, &k);
		k.source = "kmsg";
		if (!rc)
			*ret = k;
		return rc ? pit_fail(err, -rc, "kernel messages") : 0;
	}
	for (size_t i = 0; i < PIT_COUNT(files); i++)
		if ((files[i].live || !pit_root_is_live(root)) && !load_file(root, files[i].path, ret))
			return 0;
	return pit_fail(err, -rc, rc == -EPERM ? "kernel messages (kernel.dmesg_restrict)" : "kernel messages");
}
