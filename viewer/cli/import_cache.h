#ifndef LOITER_CLI_IMPORT_CACHE_H
#define LOITER_CLI_IMPORT_CACHE_H

#include "formats/base/byte_source.h"
#include "formats/base/error.h"
#include "formats/base/progress.h"

/*
 * What imports of large files gave, kept in $XDG_CACHE_HOME/loiter or ~/.cache/loiter, so that a
 * trace is imported the first time it is looked at and not each time.
 *
 *   C1  An entry is called KEY-SUM.loiter. KEY names the bytes of the foreign file, this program
 *       and its format of traces; SUM names the bytes of the entry.
 *   C2  An entry appears under its name complete or not at all: it is written under another name
 *       and renamed. So any number of processes may look, write and remove at once; the worst is
 *       that two import the same file.
 *   C3  An entry whose bytes are not those of SUM is removed and made again. One that is, is opened
 *       with the same mistrust as any trace: both names can be forged by whoever can write there.
 *   C4  Folder and entries belong to this user and are closed to others, or are not used.
 *   C5  Using an entry sets its time of change. What was used least recently goes first when all
 *       together are larger than the limit.
 *
 * Whatever goes wrong with the cache itself, a file is opened without it.
 */

/* Smaller files are imported in a moment. */
#define IMPORT_CACHE_FILE_MIN (256u << 10)

#define IMPORT_CACHE_DEFAULT_BYTES (1ull << 30)

/*
 * The native trace of the foreign regular file `path`. LO_END: there can be no cache, the file is
 * too small for it, or the cache's disk refused; then import it elsewhere. LO_USAGE when
 * LOITER_CACHE_SIZE makes no sense. Any other failure comes from importing.
 */
enum lo_result import_cache_open(struct byte_source **out, const char *path,
		const struct progress *progress, struct lo_error *err);

#endif
