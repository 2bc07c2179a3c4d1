#include "config/value.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { kShownBytes = 48, kLongestNumber = 1023 };

/* --- Messages --- */

const char *config_value_shown(char out[kConfigShown], const char *text, size_t length) {
  size_t n = length < kShownBytes ? length : kShownBytes;
  while (n < length && n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) n--; /* not within a character */
  char kept[kShownBytes + 1];
  for (size_t i = 0; i < n; i++) {
    const unsigned char c = (unsigned char)text[i];
    kept[i] = text[i];
    if (c < 0x20 || c == 0x7F) kept[i] = '?';
  }
  kept[n] = '\0';
  snprintf(out, kConfigShown, "\"%s%s\"", kept, n < length ? "..." : "");
  return out;
}

void config_value_allowed(char out[CUONN_CONFIG_TEXT], const config_key *key) {
  switch (key->type) {
    case CONFIG_INTEGER: snprintf(out, CUONN_CONFIG_TEXT, "%" PRIu64 " to %" PRIu64, key->least, key->most); break;
    case CONFIG_NUMBER:
      snprintf(out, CUONN_CONFIG_TEXT, "%s%g %s %g", key->above_low ? "above " : "", key->low,
               key->below_high ? "to below" : "to", key->high);
      break;
    case CONFIG_BOOLEAN: snprintf(out, CUONN_CONFIG_TEXT, "true | false"); break;
    case CONFIG_TEXT:
      snprintf(out, CUONN_CONFIG_TEXT, "%" PRIu64 " to %" PRIu64 " bytes", key->least, key->most);
      break;
    case CONFIG_GROUPS: snprintf(out, CUONN_CONFIG_TEXT, "[] or [[KEY, KEY, ...], ...]"); break;
    case CONFIG_CHOICE:
    case CONFIG_NAME: {
      size_t used = 0;
      for (size_t i = 0; key->choices[i] && used < CUONN_CONFIG_TEXT; i++) {
        used += (size_t)snprintf(out + used, CUONN_CONFIG_TEXT - used, "%s%s", i ? " | " : "", key->choices[i]);
      }
    }
  }
}

static cuonn_status refuse(const config_key *key, const char *text, size_t length, const char *why) {
  char shown[kConfigShown], allowed[CUONN_CONFIG_TEXT];
  config_value_allowed(allowed, key);
  return cuonn_fail(CUONN_E_CONFIG, "found %s, which %s; allowed: %s", config_value_shown(shown, text, length), why,
                    allowed);
}

/* --- From text --- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static cuonn_status parse_integer(void *member, const config_key *key, const char *text, size_t length) {
  const size_t sign = length > 0 && (text[0] == '-' || text[0] == '+');
  size_t digits = sign;
  while (digits < length && is_digit(text[digits])) digits++;
  if (digits < length || digits == sign) return refuse(key, text, length, "is not an integer");
  uint64_t value = 0;
  bool fits = text[0] != '-'; /* strtoull() would wrap a negative number round */
  for (size_t i = sign; i < length && fits; i++) {
    fits =
        !__builtin_mul_overflow(value, 10, &value) && !__builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value);
  }
  if (!fits || value < key->least || value > key->most) return refuse(key, text, length, "is out of range");
  const uint32_t narrow = (uint32_t)value;
  memcpy(member, key->size == sizeof value ? (const void *)&value : &narrow, key->size);
  return CUONN_OK;
}

/* Whether the text is a decimal number: sign, digits with a point among or beside them, exponent. strtod() alone would
 * also take hexadecimal numbers, nan and infinity. */
static bool is_decimal(const char *text, size_t length) {
  size_t i = length > 0 && (text[0] == '-' || text[0] == '+'), digits = 0;
  for (; i < length && is_digit(text[i]); i++) digits++;
  if (i < length && text[i] == '.') {
    for (i++; i < length && is_digit(text[i]); i++) digits++;
  }
  if (digits == 0) return false;
  if (i < length && (text[i] == 'e' || text[i] == 'E')) {
    i++;
    i += i < length && (text[i] == '-' || text[i] == '+');
    if (i == length) return false;
    while (i < length && is_digit(text[i])) i++;
  }
  return i == length;
}

/* The C locale, whose decimal point is a point whatever the program's locale is. glibc keeps one copy: nothing to free.
 */
static locale_t c_locale(void) { return newlocale(LC_ALL_MASK, "C", (locale_t)0); }

static cuonn_status parse_number(void *member, const config_key *key, const char *text, size_t length) {
  char number[kLongestNumber + 1];
  if (length > kLongestNumber || !is_decimal(text, length)) return refuse(key, text, length, "is not a number");
  memcpy(number, text, length);
  number[length] = '\0';
  errno = 0;
  const double value = strtod_l(number, NULL, c_locale());
  if (!isfinite(value)) return refuse(key, text, length, "is too large");
  if (value == 0 && errno == ERANGE) return refuse(key, text, length, "is too small to be told from 0");
  const bool above = key->above_low ? value > key->low : value >= key->low;
  const bool below = key->below_high ? value < key->high : value <= key->high;
  if (!above || !below) return refuse(key, text, length, "is out of range");
  memcpy(member, &value, sizeof value);
  return CUONN_OK;
}

static cuonn_status parse_boolean(void *member, const config_key *key, const char *text, size_t length) {
  const bool yes = length == 4 && memcmp(text, "true", 4) == 0;
  const bool no = length == 5 && memcmp(text, "false", 5) == 0;
  if (!yes && !no) return refuse(key, text, length, "is not a boolean");
  memcpy(member, &yes, sizeof yes);
  return CUONN_OK;
}

/* Bytes of the UTF-8 character at text[0], 0 if there is none (Unicode 15, table 3-7: no surrogates, nothing longer
 * than it must be, nothing above U+10FFFF). */
static size_t utf8_length(const unsigned char *text, size_t left) {
  const unsigned char c = text[0];
  const size_t n = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
  if (n == 0 || n > left) return 0;
  for (size_t i = 1; i < n; i++) {
    if ((text[i] & 0xC0) != 0x80) return 0;
  }
  if ((c == 0xE0 && text[1] < 0xA0) || (c == 0xED && text[1] >= 0xA0)) return 0;
  if ((c == 0xF0 && text[1] < 0x90) || (c == 0xF4 && text[1] >= 0x90)) return 0;
  return n;
}

/* Text must be such that YAML can carry it and a file name can be made of it. */
static cuonn_status parse_text(void *member, const config_key *key, const char *text, size_t length) {
  if (length < key->least) return refuse(key, text, length, "is too short");
  if (length > key->most) return refuse(key, text, length, "is too long");
  if (memchr(text, '\0', length)) return refuse(key, text, strlen(text), "goes on after a zero byte");
  for (size_t i = 0; i < length;) {
    const size_t n = utf8_length((const unsigned char *)text + i, length - i);
    if (n == 0) return refuse(key, text, i, "is followed by bytes that are not UTF-8");
    i += n;
  }
  memset(member, 0, key->size); /* equal texts, equal bytes */
  memcpy(member, text, length);
  return CUONN_OK;
}

static cuonn_status parse_choice(void *member, const config_key *key, const char *text, size_t length) {
  for (uint32_t i = 0; key->choices[i]; i++) {
    if (strlen(key->choices[i]) != length || memcmp(key->choices[i], text, length) != 0) continue;
    if (key->type == CONFIG_CHOICE) {
      memcpy(member, &i, sizeof i);
    } else {
      memset(member, 0, key->size);
      memcpy(member, text, length);
    }
    return CUONN_OK;
  }
  return refuse(key, text, length, "is none of the choices");
}

/* Enums are stored through a uint32_t. */
_Static_assert(sizeof(cuonn_features_kind) == sizeof(uint32_t) && sizeof(cuonn_optimizer_kind) == sizeof(uint32_t),
               "an enum has the size of an unsigned int");

cuonn_status config_value_parse(cuonn_config *config, const config_key *key, const char *text, size_t length) {
  void *member = (char *)config + key->offset;
  switch (key->type) {
    case CONFIG_INTEGER: return parse_integer(member, key, text, length);
    case CONFIG_NUMBER: return parse_number(member, key, text, length);
    case CONFIG_BOOLEAN: return parse_boolean(member, key, text, length);
    case CONFIG_TEXT: return parse_text(member, key, text, length);
    case CONFIG_CHOICE:
    case CONFIG_NAME: return parse_choice(member, key, text, length);
    case CONFIG_GROUPS:
      return strcmp(text, "[]") == 0 ? CUONN_OK
                                     : refuse(key, text, length, "is no list of groups, or no sweep reads it");
  }
  return cuonn_fail(CUONN_E_INTERNAL, "the table gives %s no type", key->path);
}

/* --- To text --- */

static uint64_t integer_of(const void *member, size_t size) {
  uint64_t value = 0;
  uint32_t narrow = 0;
  memcpy(size == sizeof value ? (void *)&value : &narrow, member, size);
  return size == sizeof value ? value : narrow;
}

static double number_of(const void *member) {
  double value;
  memcpy(&value, member, sizeof value);
  return value;
}

/* The fewest digits from which the same double comes back; 17 always do. With a point before an exponent, which
 * YAML 1.1 readers (PyYAML) need to see a number. */
static void format_number(char out[CUONN_CONFIG_TEXT], double value) {
  char digits[32];
  const locale_t before = uselocale(c_locale());
  for (int precision = 15; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, value);
    if (strtod(digits, NULL) == value) break;
  }
  uselocale(before);
  const int mantissa = (int)strcspn(digits, "e");
  const bool bare = digits[mantissa] == 'e' && !memchr(digits, '.', (size_t)mantissa);
  snprintf(out, CUONN_CONFIG_TEXT, "%.*s%s%s", mantissa, digits, bare ? ".0" : "", digits + mantissa);
}

void config_value_format(char out[CUONN_CONFIG_TEXT], const cuonn_config *config, const config_key *key) {
  const void *member = (const char *)config + key->offset;
  switch (key->type) {
    case CONFIG_INTEGER: snprintf(out, CUONN_CONFIG_TEXT, "%" PRIu64, integer_of(member, key->size)); break;
    case CONFIG_NUMBER: format_number(out, number_of(member)); break;
    case CONFIG_BOOLEAN: snprintf(out, CUONN_CONFIG_TEXT, "%s", *(const bool *)member ? "true" : "false"); break;
    case CONFIG_TEXT:
    case CONFIG_NAME: snprintf(out, CUONN_CONFIG_TEXT, "%.*s", (int)key->size, (const char *)member); break;
    case CONFIG_GROUPS: snprintf(out, CUONN_CONFIG_TEXT, "[]"); break;
    case CONFIG_CHOICE: {
      const uint64_t choice = integer_of(member, key->size);
      size_t n = 0;
      while (key->choices[n]) n++;
      snprintf(out, CUONN_CONFIG_TEXT, "%s", choice < n ? key->choices[choice] : "unknown");
    }
  }
}

bool config_value_equal(const cuonn_config *a, const cuonn_config *b, const config_key *key) {
  const void *of_a = (const char *)a + key->offset, *of_b = (const char *)b + key->offset;
  switch (key->type) {
    case CONFIG_TEXT:
    case CONFIG_NAME: return strncmp(of_a, of_b, key->size) == 0;
    case CONFIG_NUMBER: return number_of(of_a) == number_of(of_b); /* 0 and -0 are the same setting */
    default: return memcmp(of_a, of_b, key->size) == 0;
  }
}
