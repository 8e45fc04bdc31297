/* SPDX-License-Identifier: MIT
 *
 * Scope-exit cleanup for local owners, and hand-over out of them.
 *
 *	pit_auto_free char *text = NULL;
 *	...
 *	*ret_text = pit_take(text);
 */
#ifndef PIT_BASE_CLEANUP_H
#define PIT_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIT_CLEANUP(function) __attribute__((cleanup(function)))

static inline void pit_cleanup_free(void *p)
{
	int saved = errno;

	free(*(void **)p);
	errno = saved;
}

static inline void pit_cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void pit_cleanup_fclose(FILE **f)
{
	int saved = errno;

	if (*f)
		fclose(*f);
	errno = saved;
}

static inline void pit_cleanup_closedir(DIR **d)
{
	int saved = errno;

	if (*d)
		closedir(*d);
	errno = saved;
}

#define pit_auto_free PIT_CLEANUP(pit_cleanup_free)
#define pit_auto_close PIT_CLEANUP(pit_cleanup_close)
#define pit_auto_fclose PIT_CLEANUP(pit_cleanup_fclose)
#define pit_auto_closedir PIT_CLEANUP(pit_cleanup_closedir)

/* The value of pointer variable `p`, which is NULL afterwards. */
#define pit_take(p)                                                                                                    \
	({                                                                                                             \
		__typeof__(p) taken_ = (p);                                                                            \
		(p) = NULL;                                                                                            \
		taken_;                                                                                                \
	})

/* The value of file descriptor variable `fd`, which is -1 afterwards. */
static inline int pit_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define PIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
