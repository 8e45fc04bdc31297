/* SPDX-License-Identifier: MIT
 *
 * libarchive, loaded when an archive is read or written and not before: with what it needs (libxml2, ICU, ...) it takes
 * three quarters of the time in which a verb that needs none of it could be done. Private to host/archive*.c.
 */
#ifndef PIT_HOST_ARCHIVE_LIB_H
#define PIT_HOST_ARCHIVE_LIB_H

#include <archive.h>
#include <archive_entry.h>

#include "pitcrew/error.h"

#define PIT_ARCHIVE_FUNCTIONS(X)                                                                                       \
	X(archive_entry_filetype)                                                                                      \
	X(archive_entry_free)                                                                                          \
	X(archive_entry_hardlink)                                                                                      \
	X(archive_entry_new)                                                                                           \
	X(archive_entry_pathname)                                                                                      \
	X(archive_entry_set_filetype)                                                                                  \
	X(archive_entry_set_mtime)                                                                                     \
	X(archive_entry_set_pathname)                                                                                  \
	X(archive_entry_set_perm)                                                                                      \
	X(archive_entry_set_size)                                                                                      \
	X(archive_entry_set_symlink)                                                                                   \
	X(archive_entry_symlink)                                                                                       \
	X(archive_errno)                                                                                               \
	X(archive_error_string)                                                                                        \
	X(archive_read_data)                                                                                           \
	X(archive_read_free)                                                                                           \
	X(archive_read_new)                                                                                            \
	X(archive_read_next_header)                                                                                    \
	X(archive_read_open_filename)                                                                                  \
	X(archive_read_support_filter_bzip2)                                                                           \
	X(archive_read_support_filter_gzip)                                                                            \
	X(archive_read_support_filter_xz)                                                                              \
	X(archive_read_support_filter_zstd)                                                                            \
	X(archive_read_support_format_tar)                                                                             \
	X(archive_write_add_filter_bzip2)                                                                              \
	X(archive_write_add_filter_gzip)                                                                               \
	X(archive_write_add_filter_none)                                                                               \
	X(archive_write_add_filter_xz)                                                                                 \
	X(archive_write_add_filter_zstd)                                                                               \
	X(archive_write_close)                                                                                         \
	X(archive_write_data)                                                                                          \
	X(archive_write_free)                                                                                          \
	X(archive_write_header)                                                                                        \
	X(archive_write_new)                                                                                           \
	X(archive_write_open_fd)                                                                                       \
	X(archive_write_set_format_pax_restricted)

struct pit_archive_lib {
#define PIT_ARCHIVE_MEMBER(name) __typeof__(&(name)) name;
	PIT_ARCHIVE_FUNCTIONS(PIT_ARCHIVE_MEMBER)
#undef PIT_ARCHIVE_MEMBER
};

/* -ENOENT: it is not installed; -ENOSYS: it is older than 3.4. Stays loaded. */
int pit_archive_lib(struct pit_archive_lib *ret, struct pit_error *err);

#endif
