#include "viewer/cli/import_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "formats/base/byte_stream.h"
#include "formats/base/content_hash.h"
#include "formats/base/duration.h"
#include "formats/import/import_run.h"
#include "formats/native/layout.h"

#define ENTRY_SUFFIX ".loiter"
#define NEW_PREFIX   ".new-"
#define NEW_TRIES    100u
/* What a process that was killed has left behind. */
#define NEW_AGE_MAX_S (24 * 3600)

/* KEY-SUM.loiter */
#define ENTRY_NAME_MAX (2 * (CONTENT_HASH_TEXT_MAX - 1) + 1 + sizeof(ENTRY_SUFFIX))

struct cache {
	int folder;
	uint64_t limit;
	char key[CONTENT_HASH_TEXT_MAX];
	struct stat input; /* as it was when the key was made */
};

/* ---- Where. ---- */

/* The user's folder of caches; it may not exist. */
static bool find_base(char path[PATH_MAX])
{
	const char *cache_home = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	int length = -1;

	if (cache_home &&
			cache_home[0] == '/') /* others are to be ignored, says its specification */
		length = snprintf(path, PATH_MAX, "%s", cache_home);
	else if (home && home[0] == '/')
		length = snprintf(path, PATH_MAX, "%s/.cache", home);
	return length > 0 && length < PATH_MAX;
}

static bool is_ours(const struct stat *status)
{
	return status->st_uid == geteuid() && (status->st_mode & 077) == 0;
}

/* Returns a descriptor, or -1. */
static int open_folder(void)
{
	char base[PATH_MAX];
	struct stat status;
	int parent;
	int folder;

	if (!find_base(base))
		return -1;
	mkdir(base, 0700);
	parent = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return -1;
	mkdirat(parent, "loiter", 0700);
	folder = openat(parent, "loiter", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	close(parent);
	if (folder >= 0 && (fstat(folder, &status) != 0 || !is_ours(&status))) {
		close(folder);
		return -1;
	}
	return folder;
}

static enum lo_result read_limit(uint64_t *limit, struct lo_error *err)
{
	const char *text = getenv("LOITER_CACHE_SIZE");
	struct lo_error why;

	*limit = IMPORT_CACHE_DEFAULT_BYTES;
	if (!text || size_parse(text, limit, &why) == LO_OK)
		return LO_OK;
	return lo_fail(err, LO_USAGE, LO_NO_OFFSET, "LOITER_CACHE_SIZE: %.180s", why.message);
}

/* ---- What. ---- */

/* Another build may import otherwise, so the file of the program is a part of every key. */
static void add_program(struct content_hash *hash)
{
	struct stat status;
	char text[160];

	if (stat("/proc/self/exe", &status) != 0)
		status = (struct stat){ 0 };
	snprintf(text, sizeof(text), "loiter %s format %u, %lld bytes of %lld.%09ld",
			LOITER_VERSION, FORMAT_VERSION, (long long)status.st_size,
			(long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
	content_hash_add(hash, text, strlen(text));
}

/* The name of all bytes of a file. */
static bool name_content(const char *path, bool with_program, char text[CONTENT_HASH_TEXT_MAX])
{
	struct content_hash *hash = content_hash_new();
	struct byte_source *source;
	bool named = false;

	if (!hash)
		return false;
	if (byte_source_open_file(&source, path, NULL) == LO_OK) {
		named = content_hash_add_source(hash, source, NULL) == LO_OK;
		byte_source_close(source);
	}
	if (with_program)
		add_program(hash);
	content_hash_text(hash, text);
	content_hash_free(hash);
	return named;
}

static bool has_changed(const struct cache *cache, const char *path)
{
	const struct stat *then = &cache->input;
	struct stat now;

	return stat(path, &now) != 0 || now.st_dev != then->st_dev || now.st_ino != then->st_ino ||
	       now.st_size != then->st_size || now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != then->st_mtim.tv_nsec;
}

/* ---- Finding. ---- */

static void descriptor_path(int descriptor, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", descriptor);
}

static bool is_entry(const char *name)
{
	return strlen(name) == ENTRY_NAME_MAX - 1 && name[CONTENT_HASH_TEXT_MAX - 1] == '-' &&
	       strspn(name, "0123456789abcdef") == CONTENT_HASH_TEXT_MAX - 1 &&
	       strspn(name + CONTENT_HASH_TEXT_MAX, "0123456789abcdef") ==
			       CONTENT_HASH_TEXT_MAX - 1 &&
	       strcmp(name + ENTRY_NAME_MAX - sizeof(ENTRY_SUFFIX), ENTRY_SUFFIX) == 0;
}

/* Opens an entry if its bytes are those that its name promises. */
static bool open_entry(struct cache *cache, const char *name, struct byte_source **out)
{
	int descriptor = openat(
			cache->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char sum[CONTENT_HASH_TEXT_MAX];
	char path[32];
	struct stat status;
	bool opened = false;

	if (descriptor < 0)
		return false;
	descriptor_path(descriptor, path);
	if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && is_ours(&status) &&
			name_content(path, false, sum) &&
			memcmp(sum, name + CONTENT_HASH_TEXT_MAX, sizeof(sum) - 1) == 0)
		opened = byte_source_open_file(out, path, NULL) == LO_OK;
	if (opened)
		futimens(descriptor, NULL);
	close(descriptor);
	return opened;
}

static DIR *list(const struct cache *cache)
{
	int again = openat(cache->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = again < 0 ? NULL : fdopendir(again);

	if (!entries && again >= 0)
		close(again);
	return entries;
}

static bool find(struct cache *cache, struct byte_source **out)
{
	DIR *entries = list(cache);
	const struct dirent *entry;
	bool found = false;

	while (entries && !found && (entry = readdir(entries))) {
		if (!is_entry(entry->d_name) ||
				memcmp(entry->d_name, cache->key, CONTENT_HASH_TEXT_MAX - 1) != 0)
			continue;
		found = open_entry(cache, entry->d_name, out);
		if (!found)
			unlinkat(cache->folder, entry->d_name, 0);
	}
	if (entries)
		closedir(entries);
	return found;
}

/* ---- Removing. ---- */

struct kept {
	char name[ENTRY_NAME_MAX];
	uint64_t bytes;
	struct timespec used;
};

static int compare_use(const void *left, const void *right)
{
	const struct timespec *a = &((const struct kept *)left)->used;
	const struct timespec *b = &((const struct kept *)right)->used;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}

static void remove_if_abandoned(struct cache *cache, const char *name)
{
	struct stat status;

	if (strncmp(name, NEW_PREFIX, strlen(NEW_PREFIX)) == 0 &&
			fstatat(cache->folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			time(NULL) - status.st_mtim.tv_sec > NEW_AGE_MAX_S)
		unlinkat(cache->folder, name, 0);
}

/* All entries; returns their number. `*all` is the caller's to free. */
static size_t collect(struct cache *cache, DIR *entries, struct kept **all)
{
	const struct dirent *entry;
	size_t capacity = 0;
	size_t count = 0;

	while ((entry = readdir(entries))) {
		struct stat status;
		struct kept *grown = *all;

		remove_if_abandoned(cache, entry->d_name);
		if (!is_entry(entry->d_name) || fstatat(cache->folder, entry->d_name, &status,
								AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (count == capacity) {
			capacity = capacity ? 2 * capacity : 64;
			grown = realloc(*all, capacity * sizeof(*grown));
			if (!grown)
				break;
			*all = grown;
		}
		memcpy(grown[count].name, entry->d_name, ENTRY_NAME_MAX);
		grown[count].bytes = (uint64_t)status.st_size;
		grown[count++].used = status.st_mtim;
	}
	return count;
}

/* C5 */
static void keep_to_limit(struct cache *cache)
{
	DIR *entries = list(cache);
	struct kept *all = NULL;
	uint64_t bytes = 0;
	size_t count;

	if (!entries)
		return;
	count = collect(cache, entries, &all);
	closedir(entries);
	for (size_t i = 0; i < count; i++)
		bytes += all[i].bytes;
	if (count > 0)
		qsort(all, count, sizeof(*all), compare_use);
	for (size_t i = 0; i < count && bytes > cache->limit; i++) {
		unlinkat(cache->folder, all[i].name, 0);
		bytes -= all[i].bytes;
	}
	free(all);
}

/* ---- Adding. ---- */

static int make_new(struct cache *cache, char name[64])
{
	int descriptor = -1;

	for (unsigned i = 0; i < NEW_TRIES && descriptor < 0; i++) {
		snprintf(name, 64, NEW_PREFIX "%ld-%u", (long)getpid(), i);
		descriptor = openat(
				cache->folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (descriptor < 0 && errno != EEXIST)
			break;
	}
	return descriptor;
}

/* Gives the new file its name. What cannot be named is used without. */
static void publish(struct cache *cache, const char *path, const char *name)
{
	char sum[CONTENT_HASH_TEXT_MAX];
	char entry[ENTRY_NAME_MAX];

	if (!name_content(path, false, sum)) {
		unlinkat(cache->folder, name, 0);
		return;
	}
	snprintf(entry, sizeof(entry), "%s-%s" ENTRY_SUFFIX, cache->key, sum);
	if (renameat(cache->folder, name, cache->folder, entry) != 0)
		unlinkat(cache->folder, name, 0);
	keep_to_limit(cache);
}

static enum lo_result import_file_into(const char *path, const char *new_path,
		const struct progress *progress, struct lo_error *err)
{
	struct import_options options = { .progress = progress };
	struct byte_source *source;
	struct byte_stream *in;
	struct byte_sink *sink;
	enum lo_result result = byte_source_open_file(&source, path, err);

	if (result == LO_OK)
		result = byte_stream_open(&in, source, err);
	if (result != LO_OK)
		return result;
	result = byte_sink_open_file(&sink, new_path, err);
	if (result == LO_OK)
		result = import_run(in, sink, &options, err);
	byte_stream_close(in);
	return result;
}

static enum lo_result import_new(struct cache *cache, struct byte_source **out, const char *path,
		const struct progress *progress, struct lo_error *err)
{
	char name[64];
	char new_path[32];
	int descriptor = make_new(cache, name);
	enum lo_result result;

	if (descriptor < 0)
		return LO_END;
	descriptor_path(descriptor, new_path);
	result = import_file_into(path, new_path, progress, err);
	if (result == LO_OK)
		result = byte_source_open_file(out, new_path, err);
	if (result == LO_OK && !has_changed(cache, path))
		publish(cache, new_path, name);
	else
		unlinkat(cache->folder, name, 0);
	close(descriptor);
	return result == LO_IO ? LO_END : result;
}

enum lo_result import_cache_open(struct byte_source **out, const char *path,
		const struct progress *progress, struct lo_error *err)
{
	struct cache cache;
	enum lo_result result = read_limit(&cache.limit, err);

	if (result != LO_OK)
		return result;
	/* Before the first byte is read, so that has_changed() sees what happens from then on. */
	if (cache.limit == 0 || stat(path, &cache.input) != 0 ||
			cache.input.st_size < (off_t)IMPORT_CACHE_FILE_MIN)
		return LO_END;
	cache.folder = open_folder();
	if (cache.folder < 0)
		return LO_END;
	if (!name_content(path, true, cache.key))
		result = LO_END;
	else if (!find(&cache, out))
		result = import_new(&cache, out, path, progress, err);
	close(cache.folder);
	return result;
}
