/* SPDX-License-Identifier: MIT
 *
 * Versions of the NVIDIA driver's parts, which must be the same, and where its libraries lie.
 */
#ifndef PIT_CHECK_NVIDIA_H
#define PIT_CHECK_NVIDIA_H

#include "check/facts.h"

/* Version of the loaded kernel module ("550.54.15"); *ret_open (may be NULL): its open variant, false also when it
 * fails. -ENOENT not loaded, -EBADMSG. */
int pit_nvidia_module(struct pit_root *root, char *ret, size_t size, bool *ret_open);

/* The same, or what NVML says where the module's files are hidden. -ENOENT neither. */
int pit_nvidia_driver(struct pit_facts *f, char *ret, size_t size);

/* The file of library `name` ("libcuda.so.1"); -ENOENT not where drivers put it. */
int pit_nvidia_find_library(struct pit_root *root, const char *name, char *ret, size_t size);

/* The version at the end of a file's name ("libcuda.so.550.54.15"), and of the file that the path leads to by links.
 * -ENOENT it says none. */
int pit_nvidia_file_version(const char *path, char *ret, size_t size);
int pit_nvidia_library_version(struct pit_root *root, const char *path, char *ret, size_t size);

/* The version of the CUDA toolkit in `home` ("12.4.1") by its own files; `ret_where` is the one that was read, also
 * when it fails. -ENOENT none, -EBADMSG. */
int pit_cuda_toolkit(struct pit_root *root, const char *home, char *ret, size_t size, char *ret_where,
		     size_t where_size);

#endif
