/* Units that values of a file may have beside our own. Names are those of UDUNITS, and what people write. */
#include "results/units.h"

#include <ctype.h>
#include <math.h>
#include <netcdf.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "results/attributes.h"

typedef struct {
  const char *name;
  double factor; /* what it is in our unit */
} known_unit;

static const known_unit angles[] = {{"radian", 1},
                                    {"radians", 1},
                                    {"rad", 1},
                                    {"rads", 1},
                                    {"1", 1},
                                    {"mrad", 1e-3},
                                    {"milliradian", 1e-3},
                                    {"milliradians", 1e-3},
                                    {"urad", 1e-6},
                                    {"microradian", 1e-6},
                                    {"microradians", 1e-6},
                                    {"pi", M_PI},
                                    {"pi rad", M_PI},
                                    {"pi radian", M_PI},
                                    {"pi radians", M_PI},
                                    {"\xCF\x80", M_PI},
                                    {"\xCF\x80 rad", M_PI},
                                    {"degree", M_PI / 180},
                                    {"degrees", M_PI / 180},
                                    {"deg", M_PI / 180},
                                    {"degs", M_PI / 180},
                                    {"\xC2\xB0", M_PI / 180},
                                    {"arc_degree", M_PI / 180},
                                    {"angular_degree", M_PI / 180},
                                    {"turn", 2 * M_PI},
                                    {"turns", 2 * M_PI},
                                    {"cycle", 2 * M_PI},
                                    {"cycles", 2 * M_PI},
                                    {"revolution", 2 * M_PI},
                                    {"revolutions", 2 * M_PI},
                                    {"rev", 2 * M_PI},
                                    {"circle", 2 * M_PI},
                                    {"2pi", 2 * M_PI},
                                    {"2 pi", 2 * M_PI},
                                    {"gradian", M_PI / 200},
                                    {"gradians", M_PI / 200},
                                    {"grade", M_PI / 200},
                                    {"gon", M_PI / 200},
                                    {NULL, 0}};

/* Of a ratio of powers; a neper is one of amplitudes. */
static const known_unit levels[] = {{"dB", 1},
                                    {"decibel", 1},
                                    {"decibels", 1},
                                    {"B", 10},
                                    {"bel", 10},
                                    {"bels", 10},
                                    {"Np", 20 * M_LOG10E},
                                    {"neper", 20 * M_LOG10E},
                                    {"nepers", 20 * M_LOG10E},
                                    {NULL, 0}};

/* The scale of fields is the user's own: amplitudes are pure numbers, too. */
static const known_unit numbers[] = {{"1", 1},           {"none", 1},          {"-", 1},           {"dimensionless", 1},
                                     {"unitless", 1},    {"percent", 0.01},    {"%", 0.01},        {"amplitude", 1},
                                     {"1/amplitude", 1}, {"1 / amplitude", 1}, {"amplitude-1", 1}, {"a.u.", 1},
                                     {"arb. unit", 1},   {"arb. units", 1},    {"arbitrary", 1},   {"sqrt(W)", 1},
                                     {"W^0.5", 1},       {"W0.5", 1},          {"W^(1/2)", 1},     {NULL, 0}};

static const known_unit joules[] = {{"J", 1}, {"joule", 1}, {"joules", 1}, {NULL, 0}};
static const known_unit seconds[] = {{"s", 1},       {"second", 1},   {"seconds", 1},  {"sec", 1},
                                     {"min", 60},    {"minute", 60},  {"minutes", 60}, {"h", 3600},
                                     {"hour", 3600}, {"hours", 3600}, {NULL, 0}};
static const known_unit watts[] = {{"W", 1}, {"watt", 1}, {"watts", 1}, {NULL, 0}};
static const known_unit volts[] = {{"V", 1}, {"volt", 1}, {"volts", 1}, {NULL, 0}};
static const known_unit efficiencies[] = {{"OPS/W", 1e-12}, {"OPS W-1", 1e-12}, {NULL, 0}};
static const known_unit guides[] = {{"waveguides", 1}, {"waveguide", 1}, {"modes", 1},
                                    {"mode", 1},       {"1", 1},         {NULL, 0}};

/* What is known where a file of ours has the unit `ours`; with prefixes: its names may have one, such as the m of
 * ms. */
static const struct {
  const char *ours;
  const known_unit *known;
  const char *listed; /* for the message */
  bool prefixes, inverse;
} families[] = {
    {"radian", angles, "radian, mrad, degree, gon, turn, pi", false, false},
    {"radian-1", angles, "radian-1, degree-1, turn-1", false, true},
    {"dB", levels, "dB, bel, neper", false, false},
    {"1", numbers, "1, percent, amplitude, a.u., sqrt(W)", false, false},
    {"J", joules, "J with a prefix, such as pJ", true, false},
    {"s", seconds, "s with a prefix, such as ms, min, h", true, false},
    {"V", volts, "V with a prefix, such as mV", true, false},
    {"W", watts, "W with a prefix, such as mW", true, false},
    {"TOPS/W", efficiencies, "TOPS/W, or OPS/W with another prefix", true, false},
    {"waveguides", guides, "waveguides, 1", false, false},
};

static const struct {
  char letter;
  double factor;
} prefixes[] = {{'f', 1e-15}, {'p', 1e-12}, {'n', 1e-9}, {'u', 1e-6}, {'m', 1e-3},
                {'k', 1e3},   {'M', 1e6},   {'G', 1e9},  {'T', 1e12}, {'P', 1e15}};

/* Looks a text of a length up; 0: not known. */
static double look_up(const known_unit *known, const char *text, size_t length, bool exact) {
  for (; known->name; known++) {
    if (strlen(known->name) != length) continue;
    if (exact ? strncmp(known->name, text, length) == 0 : strncasecmp(known->name, text, length) == 0)
      return known->factor;
  }
  return 0;
}

static double with_prefix(const known_unit *known, const char *text, size_t length) {
  const double bare = look_up(known, text, length, true);
  for (size_t i = 0; bare == 0 && length > 1 && i < sizeof prefixes / sizeof *prefixes; i++) {
    const double unit = prefixes[i].letter == text[0] ? look_up(known, text + 1, length - 1, true) : 0;
    if (unit != 0) return prefixes[i].factor * unit;
  }
  return bare;
}

/* "1/degree", "degree-1", "degree^-1". */
static double inverse(const known_unit *known, const char *text, size_t length) {
  double factor = 0;
  const size_t slash = 1 + strspn(text + 1, " ");
  if (text[0] == '1' && slash < length && text[slash] == '/') {
    const size_t name = slash + 1 + strspn(text + slash + 1, " ");
    factor = name < length ? look_up(known, text + name, length - name, false) : 0;
  } else if (length > 2 && memcmp(text + length - 2, "-1", 2) == 0) {
    length -= 2;
    while (length > 0 && strchr("^* ", text[length - 1])) length--;
    factor = look_up(known, text, length, false);
  }
  return factor == 0 ? 0 : 1 / factor;
}

static cuonn_status parse(double *factor, const results_file *file, const results_variable *v, const char *units) {
  const char *const ours = v->unit ? v->unit : "1";
  while (isspace((unsigned char)*units)) units++;
  size_t length = strlen(units), f = 0;
  while (length > 0 && isspace((unsigned char)units[length - 1])) length--;
  *factor = 1;
  if (length == 0 || (strlen(ours) == length && strncmp(ours, units, length) == 0)) return CUONN_OK;
  while (f < sizeof families / sizeof *families && strcmp(families[f].ours, ours) != 0) f++;
  if (f == sizeof families / sizeof *families)
    return cuonn_fail(CUONN_E_DATA, "%s: %s has the units \"%.*s\", it must have \"%s\"", file->path, v->name,
                      (int)(length < 64 ? length : 64), units, ours);
  *factor = families[f].prefixes  ? with_prefix(families[f].known, units, length)
            : families[f].inverse ? inverse(families[f].known, units, length)
                                  : look_up(families[f].known, units, length, false);
  CUONN_CHECK(*factor != 0, CUONN_E_DATA,
              "%s: %s has the units \"%.*s\"; known are %s: convert it, or remove the attribute", file->path, v->name,
              (int)(length < 64 ? length : 64), units, families[f].listed);
  return CUONN_OK;
}

/* The name that the attribute has in this variable; false: it has none. */
static bool find_attribute(char name[NC_MAX_NAME + 1], const results_file *file, int id) {
  int count = 0;
  if (nc_inq_varnatts(file->id, id, &count) != NC_NOERR) return false;
  for (int i = 0; i < count; i++) {
    if (nc_inq_attname(file->id, id, i, name) != NC_NOERR) continue;
    if (strcasecmp(name, "units") == 0 || strcasecmp(name, "unit") == 0) return true;
  }
  return false;
}

bool results_in_volts(const results_file *file, const char *variable) {
  char name[NC_MAX_NAME + 1], *text = NULL;
  int id;
  if (nc_inq_varid(file->id, variable, &id) != NC_NOERR || !find_attribute(name, file, id)) return false;
  if (results_get_text_of(&text, file, id, name) != CUONN_OK || !text) return false;
  const char *const begin = text + strspn(text, " ");
  size_t length = strlen(begin);
  while (length > 0 && begin[length - 1] == ' ') length--;
  const bool is = length > 0 && with_prefix(volts, begin, length) != 0;
  free(text);
  return is;
}

cuonn_status results_unit_factor(double *factor, const results_file *file, const results_variable *variable, int id) {
  char name[NC_MAX_NAME + 1], *text = NULL;
  *factor = 1;
  if (!find_attribute(name, file, id)) return CUONN_OK;
  CUONN_TRY(results_get_text_of(&text, file, id, name));
  const cuonn_status status = text ? parse(factor, file, variable, text) : CUONN_OK;
  free(text);
  return status;
}
