/* One value of a configuration: from text, to text, compared. */
#ifndef CUONN_CONFIG_VALUE_H
#define CUONN_CONFIG_VALUE_H

#include "config/key.h"
#include "cuonn/config.h"

/* Room for what a file says, cut short for a message. */
enum { kConfigShown = 64 };

/* Puts text into a message: between quotes, at most 48 bytes, "..." for the rest, '?' for what would not print. */
const char *config_value_shown(char out[kConfigShown], const char *text, size_t length);

/* What the key allows, such as "1 to 512" or "adam | sgd". */
void config_value_allowed(char out[CUONN_CONFIG_TEXT], const config_key *key);

/* Reads the text as the key's type. CUONN_E_CONFIG says what was found and what is allowed, but not the key; *config is
 * then as it was. */
cuonn_status config_value_parse(cuonn_config *config, const config_key *key, const char *text, size_t length);

/* Writes the text that config_value_parse() reads back to the same value. */
void config_value_format(char out[CUONN_CONFIG_TEXT], const cuonn_config *config, const config_key *key);

/* Whether the key has the same value in both. */
bool config_value_equal(const cuonn_config *a, const cuonn_config *b, const config_key *key);

#endif
