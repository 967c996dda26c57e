#ifndef LOITER_IMPORT_IMPORT_PROBE_H
#define LOITER_IMPORT_IMPORT_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "formats/import/importer.h"

/* Who reads a file that begins like this (unpacked); NULL: nobody. */
const struct importer *import_probe(const uint8_t *head, size_t size);

/* For a person: what the bytes seem to be, when nobody reads them. Never NULL. */
const char *import_probe_guess(const uint8_t *head, size_t size);

#endif
