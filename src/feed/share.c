/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "feed/share.h"
#include "feed/store.h"

int pit_share_text(const struct pit_share *s, char *text, size_t size)
{
	return snprintf(text, size, "pitcrew-batch 1 %d %" PRIu64 " %d %" PRIu64 " %" PRIu64 " %016" PRIx64 " %" PRId64,
			(int)s->pid, s->began, s->fd, s->offset, s->bytes, s->nonce, s->bell);
}

int pit_share_parse(const char *text, struct pit_share *ret, struct pit_error *err)
{
	struct pit_share s = {0};
	int pid, end = -1;

	if (sscanf(text, "pitcrew-batch 1 %d %" SCNu64 " %d %" SCNu64 " %" SCNu64 " %" SCNx64 " %" SCNd64 "%n", &pid,
		   &s.began, &s.fd, &s.offset, &s.bytes, &s.nonce, &s.bell, &end) != 7 ||
	    end < 0 || text[end + strspn(text + end, "\n")])
		return pit_fail(err, EINVAL, "'%.40s' is not an exported batch", text);
	if (pid <= 0 || s.fd < 0 || s.bytes < sizeof(struct pit_batch_head) || s.offset > INT64_MAX / 2 ||
	    s.bytes > INT64_MAX / 2 || s.bell < -1 || s.offset % PIT_POOL_ALIGN ||
	    (s.bell > 0 && s.bell % PIT_POOL_ALIGN))
		return pit_fail(err, EINVAL, "the exported batch '%.100s' has numbers that cannot be", text);
	s.pid = pid;
	*ret = s;
	return 0;
}

uint64_t pit_share_began(pid_t pid)
{
	char path[64], text[1024], *at;
	pit_auto_fclose FILE *f = NULL;
	uint64_t began = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f || !fgets(text, sizeof(text), f))
		return 0;
	at = strrchr(text, ')'); /* the name before it may hold anything */
	if (at &&
	    sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
		   &began) != 1)
		began = 0;
	return began;
}

static uint64_t new_nonce(void)
{
	uint64_t nonce;

	if (getrandom(&nonce, sizeof(nonce), GRND_NONBLOCK) != sizeof(nonce))
		nonce = pit_now();
	return nonce;
}

int pit_batch_export(struct pit_batch *b, char *text, size_t size, struct pit_error *err)
{
	struct pit_share s;
	int len;

	if (!b->store || b->pid != getpid())
		return pit_fail(err, EINVAL, "only the process that loaded a batch can hand it over");
	s = (struct pit_share){
		.pid = b->pid,
		.began = pit_share_began(b->pid),
		.fd = pit_pool_fd(b->pool),
		.offset = (char *)b->head - (char *)pit_pool_base(b->pool),
		.bytes = b->head->bytes,
		.nonce = new_nonce(),
		.bell = b->pool == b->store->pool ? (char *)b->store->bell - (char *)pit_pool_base(b->pool) : -1,
	};
	len = pit_share_text(&s, text, size);
	if ((size_t)len >= size)
		return pit_fail(err, ENOBUFS, "an exported batch is a text of %d bytes, and there are %zu", len + 1,
				size);
	b->head->nonce = s.nonce;
	atomic_store(&b->head->began, 0);
	atomic_store(&b->head->lease, (uint64_t)PIT_LEASE_OFFERED << 32);
	if (!pit_store_lend(b->store, b))
		return len;
	atomic_store(&b->head->lease, 0);
	return pit_fail(err, EINVAL, "the loader of this batch is closed: nobody would take the memory back");
}
