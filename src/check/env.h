/* SPDX-License-Identifier: MIT
 *
 * What the rows about the environment share. Private to check/env*.c.
 */
#ifndef PIT_CHECK_ENV_H
#define PIT_CHECK_ENV_H

#include "check/facts.h"

/* A variable: 0 with *ret NULL when it is unset, -errno when the environment cannot be seen. */
int pit_env_get(struct pit_facts *f, const char *name, const char **ret, struct pit_error *err);

/* A row about variables that have few good or bad values: `arg` of pit_env_flags_probe(), ended by a NULL name. */
struct pit_env_flag {
	const char *name;
	const char *bad;  /* words, in any case; "*": any value; NULL: `good` says */
	const char *good; /* words, in any case; NULL: `bad` says */
	const char *what; /* what a bad value means, behind "NAME=VALUE: " */
};

/* CPUs that the judged process may use. */
int pit_env_allowed_cpus(struct pit_facts *f, struct pit_idset *ret, struct pit_error *err);

/* True when the directory can be seen to be missing. */
bool pit_env_is_missing(struct pit_facts *f, const char *path);

/* The parts of a list with empty ones kept. */
int pit_env_split(const char *text, char separator, struct pit_strv *ret);

/* Parsers of values. */

/* CUDA_VISIBLE_DEVICES. `gpus` GPUs are known (0: not known), with the UUIDs in `uuids` (GPUs and MIG devices; empty:
 * not known). What is wrong goes to `ret_problem` (empty: nothing); returns how many devices remain visible. */
size_t pit_env_visible(const char *text, size_t gpus, const struct pit_strv *uuids, struct pit_buf *ret_problem);

/* PYTORCH_ALLOC_CONF: "key:value,key:[a:1,>:2]". What is wrong; NULL nothing. `text` of at least 1 byte. */
void pit_env_alloc_conf(const char *text, struct pit_buf *ret_problem);

/* jemalloc's MALLOC_CONF: "key:value,key:value". */
void pit_env_malloc_conf(const char *text, struct pit_buf *ret_problem);

/* CPUs in GOMP_CPU_AFFINITY ("0-3 5 7-15:2"), in the proclist of KMP_AFFINITY, or in an OMP_PLACES of explicit sets
 * ("{0:4},{4,5}"). -EINVAL not such a text; -ENOENT it names no CPUs. */
int pit_env_gomp_cpus(const char *text, struct pit_idset *ret);
int pit_env_kmp_cpus(const char *text, struct pit_idset *ret);
int pit_env_omp_places(const char *text, struct pit_idset *ret);

/* env_alloc.c */
pit_probe pit_env_alloc_conf_probe, pit_env_alloc_names_probe, pit_env_xla_probe, pit_env_malloc_conf_probe,
	pit_env_tcmalloc_probe, pit_env_arenas_probe;
/* env_cache.c */
pit_probe pit_env_tmpdir_probe, pit_env_cache_probe;
/* env_gpu.c */
pit_probe pit_env_visible_probe, pit_env_rocm_visible_probe, pit_env_device_order_probe, pit_env_nvidia_visible_probe,
	pit_env_capabilities_probe, pit_env_mps_probe;
/* env_job.c */
pit_probe pit_env_ranks_probe;
/* env_nccl.c */
pit_probe pit_env_ifname_probe, pit_env_ib_hca_probe, pit_env_nccl_files_probe, pit_env_nccl_off_probe,
	pit_env_efa_probe, pit_env_ucx_probe;
/* env_paths.c */
pit_probe pit_env_path_probe, pit_env_nvcc_probe, pit_env_library_path_probe, pit_env_stub_probe, pit_env_libcuda_probe,
	pit_env_cuda_home_probe, pit_env_pythonpath_probe, pit_env_preload_probe;
/* env_threads.c */
pit_probe pit_env_omp_threads_probe, pit_env_blas_threads_probe, pit_env_omp_affinity_probe;
/* env_value.c */
pit_probe pit_env_flags_probe;

/* `arg` of pit_env_cache_probe(). */
struct pit_env_cache {
	const char *names[6]; /* variables that name directories; ends with NULL */
	const char *home;     /* below $HOME: the directory when none is set; NULL: not judged then */
	bool compiles;        /* holds locks and many small files */
};

#endif
