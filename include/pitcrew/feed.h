/* SPDX-License-Identifier: MIT
 *
 * Loads samples from disk in a shuffled order that every machine computes alike, and hands them over in batches without
 * copying them.
 *
 *	source + (seed, epoch, rank, world, position) -> order -> reads into pool memory -> batches -> release -> reads
 *...
 *
 * A sample has one part or several (an image and its label). What a part holds is bytes: decoding is the caller's.
 */
#ifndef PITCREW_FEED_H
#define PITCREW_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pitcrew/error.h"
#include "pitcrew/io.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- sources: where the samples lie ---- */

struct pit_source;

enum pit_source_kind {
	PIT_SOURCE_AUTO,     /* by looking: a directory is files (or tar shards when it holds nothing but *.tar), ... */
	PIT_SOURCE_FILES,    /* a directory tree; each regular file is a sample of one part; symbolic links to files are
				followed, to directories not */
	PIT_SOURCE_MANIFEST, /* a text file, a sample a line: path, relative to the manifest, [TAB offset TAB length
				[TAB xxh3 in hex]] */
	PIT_SOURCE_TAR, /* tar shards in webdataset's layout: neighbours with one name up to the first dot of the last
			   path component are a sample */
	PIT_SOURCE_RECORDS,     /* big files of records of one size */
	PIT_SOURCE_SAFETENSORS, /* each tensor is a sample; or, with `tensors`, each row of those tensors */
};

struct pit_source_want {
	size_t size; /* sizeof(struct pit_source_want) */
	enum pit_source_kind kind;
	const char *const
		*paths; /* `path_count` files or directories; shell patterns ("train-*.tar") are expanded, sorted */
	size_t path_count;
	const char *const *suffixes; /* files: only names that end so (".jpg"); `suffix_count` of them, 0: all */
	size_t suffix_count;
	uint64_t record_bytes;      /* records: size of one, at least 1 */
	uint64_t header_bytes;      /* records: skipped at the start of each file */
	const char *const *tensors; /* safetensors: names whose first dimensions are samples and agree in each shard;
				       `tensor_count`, 0: whole tensors */
	size_t tensor_count;
	const char *index; /* where the index is kept; NULL: beside a shard (SHARD.pitidx) when that can be written,
			      else in memory. "" : never kept */
};

/* Lists samples, once: names and sizes, not contents. The order of samples is that of the bytes of their names (files),
 * of lines, or of position in sorted shards: the same on every machine. -ENOENT when there is no sample at all. */
int pit_source_open(const struct pit_source_want *want, struct pit_source **ret, struct pit_error *err);
void pit_source_close(struct pit_source *s); /* NULL is fine; loaders made from it go on */

uint64_t pit_source_count(const struct pit_source *s);
uint64_t pit_source_bytes(const struct pit_source *s);       /* of all samples */
uint64_t pit_source_fingerprint(const struct pit_source *s); /* of names and sizes: equal where the samples are the
								same, wherever the folder lies */
enum pit_source_kind pit_source_kind_of(const struct pit_source *s);
const char *
pit_source_name(const struct pit_source *s,
		uint64_t sample); /* valid as long as the source; NULL beyond the last. Records have numbers only: "" */

/* ---- loader ---- */

struct pit_loader;
struct pit_batch;

enum pit_shuffle {
	PIT_SHUFFLE_FULL,   /* a permutation of all samples */
	PIT_SHUFFLE_BLOCKS, /* runs of `block` neighbours are permuted, and samples within each `window` runs: reads
			       stay long */
	PIT_SHUFFLE_NONE,
};

enum pit_tail {                 /* when the samples left are fewer than world * batch */
		PIT_TAIL_SHORT, /* divided evenly, each exactly once; some ranks may have a batch less */
		PIT_TAIL_DROP,  /* left out, as every rank then has equally many full batches */
		PIT_TAIL_PAD,   /* filled up from the start of this epoch's order */
};

enum pit_on_error {
	PIT_ERROR_FAIL, /* pit_loader_next() fails and names the sample; the next call goes on behind that batch */
	PIT_ERROR_SKIP, /* the batch lacks it, and may be empty; counted, and the names of the first ones kept */
	PIT_ERROR_SUBSTITUTE, /* another sample of the same batch takes its place; counted. A batch without any good one
				 fails */
};

enum pit_policy {
	PIT_POLICY_FILL_ONCE, /* keeps what came first: the best that is possible when each sample is used once an epoch
			       */
	PIT_POLICY_LRU,
	PIT_POLICY_LFU,
	PIT_POLICY_CLOCK,
	PIT_POLICY_S3FIFO,
	PIT_POLICY_FIFO,
	PIT_POLICIES,
};

struct pit_loader_want {
	size_t size;          /* sizeof(struct pit_loader_want) */
	uint32_t batch;       /* samples of one batch of one rank, at most 2^24; 0: 1 */
	uint32_t rank, world; /* world 0: 1 */
	uint64_t seed, epoch;
	enum pit_shuffle shuffle;
	uint64_t block, window; /* for PIT_SHUFFLE_BLOCKS; 0: 256 samples, 16 runs */
	enum pit_tail tail;
	bool as_ready; /* batches come as soon as they are complete, not in order. The set of samples of a batch is the
			  same */
	enum pit_on_error on_error;
	bool check;      /* compare checksums where the source has some */
	uint64_t memory; /* bytes for batches read ahead and in use; 0: 4 batches' worth, but of no more than two
			    epochs, at least 32 MiB, at most a quarter of what is available (cgroup's limit counted). A
			    batch that is larger is read alone, with memory of its own until it is released:
			    pit_loader_next() gives -ENOMEM for it when that is more than what is available */
	struct pit_io_want io;
	uint64_t cache_bytes; /* 0: no sample cache. In memory no more is taken than the samples have */
	enum pit_policy cache_policy;
	const char *cache_dir; /* with cache_bytes. NULL: in memory. Else a directory on a local disk, which may be used
				  again by later runs and by other ranks */
};

/* Starts reading in threads of its own. The source may be closed at once. */
int pit_loader_open(struct pit_source *s, const struct pit_loader_want *want, struct pit_loader **ret,
		    struct pit_error *err);

/* The next batch: 1 with a batch, 0 at the end of the epoch (then pit_loader_epoch()), or -errno. Waits; another thread
 * may call pit_loader_cancel() then, after which it gives -ECANCELED for good. -ENOBUFS when for 10 seconds nothing was
 * released while callers of this process held all of the memory: whether another thread of it is still about to cannot
 * be known, and nothing is lost, so that the next call waits again. -EINVAL in a fork of the process that opened it. */
int pit_loader_next(struct pit_loader *l, struct pit_batch **ret, struct pit_error *err);
void pit_loader_cancel(struct pit_loader *l); /* from any thread */

/* Ends threads, closes files. Batches that were handed out stay valid until they are released. NULL is fine. */
void pit_loader_close(struct pit_loader *l);

/* Goes to the start of an epoch: what is read ahead is thrown away, unless it belongs there. */
int pit_loader_epoch(struct pit_loader *l, uint64_t epoch, struct pit_error *err);
uint64_t pit_loader_batches(const struct pit_loader *l); /* of the whole epoch, for this rank */

/* The position behind the last batch that pit_loader_next() gave, as one line of JSON: seed, epoch, samples consumed by
 * all ranks together, shuffle, and the source's fingerprint. All ranks have the same position after equally many
 * batches. Gives the length (without the NUL), and writes at most `size` bytes. As-ready delivery: -ENOTSUP while
 * batches are out of order. */
int pit_loader_state(const struct pit_loader *l, char *text, size_t size, struct pit_error *err);

/* Goes on from a state, with any rank, world and batch size: each sample of the epoch that was not consumed comes
 * exactly once. -EINVAL when the text is no state; -ESTALE when it is of other samples. The state's seed and shuffle
 * are taken. */
int pit_loader_resume(struct pit_loader *l, const char *text, struct pit_error *err);

struct pit_loader_stats {
	size_t size;                      /* set by the caller: sizeof(struct pit_loader_stats) */
	uint64_t samples, batches, bytes; /* handed out */
	uint64_t failed, substituted;     /* samples */
	uint64_t read_bytes, reads;       /* from disk: read_bytes / bytes tells what alignment and gaps cost */
	uint64_t wait_ns;                 /* pit_loader_next() waited for the disk */
	uint64_t full_ns;                 /* the reader waited for batches to be released */
	uint64_t cache_requests, cache_hits, cache_hit_bytes; /* for batches handed out, not for what is read ahead */
	double cache_bound; /* hit ratio, of bytes, that no policy can pass in an epoch: what the cache can hold of all,
			       0 to 1 */
	uint64_t memory;    /* bytes for samples now: the pool, and batches that are larger than it */
	unsigned depth;     /* requests at once, now */
	uint64_t memory_most; /* the most that `memory` was so far */
};
void pit_loader_stats(const struct pit_loader *l, struct pit_loader_stats *ret); /* from any thread */
const struct pit_ladder *
pit_loader_ladder(const struct pit_loader *l); /* also why a sample cache in a directory admits nothing more */
const char *
pit_loader_failed(const struct pit_loader *l,
		  unsigned n); /* the n-th (of at most 100) sample that failed, with its reason; NULL beyond */

/* ---- batches ---- */

struct pit_part {
	const char *key;  /* "jpg", "cls", a tensor's name; "" where a sample is one part. Valid as long as the batch */
	const void *data; /* in the pool; of files that are whole samples, read by O_DIRECT, aligned to 4 KiB */
	size_t len;
};

uint32_t pit_batch_count(const struct pit_batch *b);              /* samples */
uint64_t pit_batch_sample(const struct pit_batch *b, uint32_t i); /* its number in the source */
const char *pit_batch_name(const struct pit_batch *b, uint32_t i);
unsigned pit_batch_parts(const struct pit_batch *b, uint32_t i);
/* 0, or -ERANGE. */
int pit_batch_part(const struct pit_batch *b, uint32_t i, unsigned part, struct pit_part *ret);
/* The parts of all samples at once: ret[firsts[i]] to ret[firsts[i + 1] - 1] are those of sample i. `firsts` has room
 * for samples + 1 numbers or is NULL. Gives how many parts there are; only the first `most` are written. */
size_t pit_batch_list(const struct pit_batch *b, size_t *firsts, struct pit_part *ret, size_t most);
uint64_t pit_batch_position(const struct pit_batch *b); /* position of its first sample in the epoch's order */

/* One array: when all samples have one part of equal length at equal distance, the first byte; else NULL. */
const void *pit_batch_array(const struct pit_batch *b, size_t *ret_len, size_t *ret_stride);

/* Gives the memory back. From any thread, once, also after the loader was closed. NULL is fine. */
void pit_batch_release(struct pit_batch *b);

/* ---- to other processes, without copies ---- */

/* A batch as one line of text which another process of the same user turns into a batch of its own: the memory is
 * shared. The sender's handle is used up (as by pit_batch_release); the memory goes back when the receiver releases, or
 * when the receiver has ended. What nobody has imported by then is withdrawn when the loader is closed. Gives the
 * length; -ENOBUFS when `size` is too small, and -EINVAL when the loader was closed: both change nothing. */
int pit_batch_export(struct pit_batch *b, char *text, size_t size, struct pit_error *err);

/* -EINVAL when the text is none; -ESTALE when the sender has ended or the batch was taken by another. */
int pit_batch_import(const char *text, struct pit_batch **ret, struct pit_error *err);

#ifdef __cplusplus
}
#endif

#endif
