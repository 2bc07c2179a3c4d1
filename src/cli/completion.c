/* cuonn completion: a shell script, made from the tables of commands, options and configuration keys. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/figures/figures.h"

static error_t parse(int key, char *value, struct argp_state *state) {
  const char **shell = state->input;
  switch (key) {
    case ARGP_KEY_INIT: cli_parse_init(state, NULL, 0); return 0;
    case ARGP_KEY_ARG: return cli_take_argument(shell, value);
    case ARGP_KEY_END:
      if (*shell && strcmp(*shell, "bash") == 0) return 0;
      cli_fail(CLI_USAGE, "the shell is missing or unknown; there is a completion for: bash");
      return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "bash",
    .doc =
        "Prints a script that completes commands, options and configuration keys in the shell.\v"
        "Example, in ~/.bashrc:\n"
        "  source <(cuonn completion bash)",
};

/* Prints the words of a list such as "a|b" or "a | b", parted by spaces. */
static void print_words(const char *list) {
  for (const char *c = list; *c; c++)
    if (*c != ' ') putchar(*c == '|' ? ' ' : *c);
}

/* Calls `print` for every option of a command, those that it shares with others too. */
static void each_option(void (*print)(const char *command, const struct argp_option *option), const char *command,
                        const struct argp *of) {
  for (const struct argp_option *o = of->options; o && o->name; o++) print(command, o);
  for (const struct argp_child *c = of->children; c && c->argp; c++) each_option(print, command, c->argp);
}

static void print_option(const char *command, const struct argp_option *option) {
  (void)command;
  printf(" --%s", option->name);
}

/* Values of an option. A placeholder in capitals is a file or a number, anything else a list of words. */
static void print_values(const char *command, const struct argp_option *option) {
  if (!option->arg || isupper((unsigned char)option->arg[0])) return;
  printf("    '%s --%s') words='", command, option->name);
  print_words(option->arg);
  printf("' ;;\n");
}

static void print_keys(void) {
  cuonn_config_key key;
  for (size_t i = 0; cuonn_config_key_at(&key, i); i++) printf("%s%s=", i ? " " : "", key.path);
}

static void print_key_values(void) {
  cuonn_config_key key;
  for (size_t i = 0; cuonn_config_key_at(&key, i); i++) {
    const bool boolean = strcmp(key.type, "boolean") == 0;
    if (!boolean && strcmp(key.type, "choice") != 0) continue;
    printf("    %s) words='", key.path);
    print_words(boolean ? "true | false" : key.allowed);
    printf("' ;;\n");
  }
}

/* bash hands "--set" "a" "=" "b" over as four words: '=' parts words, and is one. */
static void print_bash(void) {
  printf("# bash completion of cuonn %s; load it with: source <(cuonn completion bash)\n", cuonn_version());
  printf(
      "_cuonn() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} i=$((COMP_CWORD - 1)) words=''\n"
      "  [[ $current == = ]] && current='' i=$COMP_CWORD\n"
      "  local equals=''\n"
      "  [[ ${COMP_WORDS[i]} == = ]] && equals=1 i=$((i - 1))\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '");
  for (const cli_command *const *c = cli_commands; *c; c++) printf("%s ", (*c)->name);
  printf(
      "--help --version' -- \"$current\"))\n"
      "    return\n"
      "  fi\n"
      "  case \"${COMP_WORDS[1]} ${COMP_WORDS[i]}\" in\n"
      "    *' --set')\n"
      "      compopt -o nospace\n"
      "      words='");
  print_keys();
  printf("' ;;\n");
  for (const cli_command *const *c = cli_commands; *c; c++) each_option(print_values, (*c)->name, (*c)->argp);
  printf("    'plot plot') words='");
  for (const cli_figure *const *f = cli_figures; *f; f++) printf("%s ", (*f)->name);
  printf(
      "' ;;\n"
      "    'completion completion') words='bash' ;;\n"
      "  esac\n"
      "  [[ $equals ]] && case \"${COMP_WORDS[i]}\" in\n");
  print_key_values();
  printf(
      "  esac\n"
      "  [[ $current == -* ]] && case \"${COMP_WORDS[1]}\" in\n");
  for (const cli_command *const *c = cli_commands; *c; c++) {
    printf("    %s) words='--help --usage --version", (*c)->name);
    each_option(print_option, (*c)->name, (*c)->argp);
    printf("' ;;\n");
  }
  printf(
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "}\n"
      "complete -o default -F _cuonn cuonn\n");
}

static int run(int argc, char **argv) {
  const char *shell = NULL;
  const int code = cli_parse(&shell, &argp, argc, argv);
  if (code == CLI_DONE) print_bash();
  return code;
}

const cli_command cli_completion = {"completion", "completion of commands and options for a shell", &argp, run};
