/* damage: spoils files of a sample repository in all the ways that a disk or a person can. Threads: one. */
#ifndef TESTS_SUPPORT_DAMAGE_H
#define TESTS_SUPPORT_DAMAGE_H

#include "tests/support/sample_repository.h"

enum damage {
	DAMAGE_REMOVE,
	DAMAGE_TRUNCATE,
	DAMAGE_FLIP,        /* one bit, time and size as before */
	DAMAGE_APPEND,
	DAMAGE_EMPTY,
	DAMAGE_TIME,
	DAMAGE_MODE,
	DAMAGE_DIRECTORY,   /* a directory with something in it, in place of the file */
	DAMAGE_LINK,        /* a symbolic link that leads nowhere */
	DAMAGES
};

void damage_file(struct sample_repository *sample, const char *path, enum damage damage);
/* Spoils so many files below a directory of DIR, drawn by the sample's generator. */
void damage_some(struct sample_repository *sample, const char *directory, size_t count);
/* Files and directories that nobody asked for, in all corners of rrdp and rsync. */
void damage_litter(struct sample_repository *sample);

#endif
