/* cuonn completion: a shell script, made from the tables of commands, options and configuration keys. */
#include "cli/commands/completion.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/figures/figures.h"

static const cli_command *const *commands;

void cli_completion_of(const cli_command *const *all) { commands = all; }

/* A shell, and what prints its script. */
typedef struct {
  const char *name;
  void (*print)(void);
} shell;

static const shell *find_shell(const char *name);

static error_t parse(int key, char *value, struct argp_state *state) {
  const char **name = state->input;
  switch (key) {
    case ARGP_KEY_ARG: return cli_take_argument(name, value);
    case ARGP_KEY_END:
      if (*name && find_shell(*name)) return 0;
      cli_fail(CLI_USAGE, "the shell is missing or unknown; there is a completion for: bash, zsh, fish");
      return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "bash|zsh|fish",
    .doc =
        "Prints a script that completes commands, options and configuration keys in the shell.\v"
        "Example, in ~/.bashrc, in ~/.zshrc behind compinit, and in ~/.config/fish/config.fish:\n"
        "  source <(cuonn completion bash)\n"
        "  source <(cuonn completion zsh)\n"
        "  cuonn completion fish | source",
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

/* Whether an option takes the name of a convention. */
static bool takes_convention(const struct argp_option *option) {
  return option->arg && strcmp(option->arg, "CONVENTION") == 0;
}

/* Whether the values of an option are a list of words: any other placeholder in capitals is a file or a number. */
static bool has_words(const struct argp_option *option) {
  return takes_convention(option) || (option->arg && !isupper((unsigned char)option->arg[0]));
}

static void print_words_of(const struct argp_option *option) {
  if (!takes_convention(option)) {
    print_words(option->arg);
    return;
  }
  printf("cuonn");
  for (size_t i = 0; cuonn_convention_at(i); i++) printf(" %s", cuonn_convention_name(cuonn_convention_at(i)));
}

/* The words that a configuration key allows, as a list such as "a | b"; NULL if they are none. */
static const char *words_of(const cuonn_config_key *key) {
  if (strcmp(key->type, "boolean") == 0) return "true | false";
  return strcmp(key->type, "choice") == 0 ? key->allowed : NULL;
}

static void print_keys(void) {
  cuonn_config_key key;
  for (size_t i = 0; cuonn_config_key_at(&key, i); i++) printf("%s%s=", i ? " " : "", key.path);
}

static void print_shells(void);

static void print_figures(void) {
  for (const cli_figure *const *f = cli_figures; *f; f++) printf("%s%s", f == cli_figures ? "" : " ", (*f)->name);
}

/* ----------------------------------------------------------------------------------------------------- bash and zsh */

static void print_option(const char *command, const struct argp_option *option) {
  (void)command;
  printf(" --%s", option->name);
}

static void print_values(const char *command, const struct argp_option *option) {
  if (!has_words(option)) return;
  printf("    '%s --%s') list='", command, option->name);
  print_words_of(option);
  printf("' ;;\n");
}

/* The part that bash and zsh read alike. It puts `list` together from the command, the word before the present one or
 * its option, the present word, and, behind "--set KEY=", the key. */
static void print_cases(void) {
  cuonn_config_key key;
  printf("  case \"$command $before\" in\n    *' --set') list='");
  print_keys();
  printf("' ;;\n");
  for (const cli_command *const *c = commands; *c; c++) each_option(print_values, (*c)->name, (*c)->argp);
  printf("    'plot plot') list='");
  print_figures();
  printf("' ;;\n    'completion completion') list='");
  print_shells();
  printf("' ;;\n  esac\n  case $key in\n");
  for (size_t i = 0; cuonn_config_key_at(&key, i); i++) {
    if (!words_of(&key)) continue;
    printf("    %s) list='", key.path);
    print_words(words_of(&key));
    printf("' ;;\n");
  }
  printf("    ?*) list='' ;;\n  esac\n  [[ $current == -* ]] && case $command in\n");
  for (const cli_command *const *c = commands; *c; c++) {
    printf("    %s) list='--help --usage --version", (*c)->name);
    each_option(print_option, (*c)->name, (*c)->argp);
    printf("' ;;\n");
  }
  printf("  esac\n");
}

static void print_commands(void) {
  for (const cli_command *const *c = commands; *c; c++) printf("%s ", (*c)->name);
  printf("--help --version");
}

/* bash hands "--set" "a" "=" "b" over as four words: '=' parts words, and is one. */
static void print_bash(void) {
  printf("# bash completion of cuonn %s; load it with: source <(cuonn completion bash)\n", cuonn_version());
  printf(
      "_cuonn() {\n"
      "  local command=${COMP_WORDS[1]} current=${COMP_WORDS[COMP_CWORD]} i=$((COMP_CWORD - 1)) key='' list=''\n"
      "  [[ $current == = ]] && current='' i=$COMP_CWORD\n"
      "  [[ ${COMP_WORDS[i]} == = ]] && i=$((i - 1)) && key=${COMP_WORDS[i]}\n"
      "  [[ $key == -* ]] && key=''\n"
      "  local before=${COMP_WORDS[i]}\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '");
  print_commands();
  printf(
      "' -- \"$current\"))\n"
      "    return\n"
      "  fi\n"
      "  [[ $before == --set ]] && compopt -o nospace\n");
  print_cases();
  printf(
      "  COMPREPLY=($(compgen -W \"$list\" -- \"$current\"))\n"
      "}\n"
      "complete -o default -F _cuonn cuonn\n");
}

/* zsh hands "--option=value" and "key=value" over as one word each, of which compset takes the front away. */
static void print_zsh(void) {
  printf("#compdef cuonn\n# zsh completion of cuonn %s; load it with: source <(cuonn completion zsh)\n",
         cuonn_version());
  printf(
      "_cuonn() {\n"
      "  local command=$words[2] before=$words[CURRENT-1] current=$words[CURRENT] key=''\n"
      "  local -a ending\n"
      "  if ((CURRENT == 2)); then\n"
      "    compadd -- ");
  print_commands();
  printf(
      "\n"
      "    return\n"
      "  fi\n"
      "  if [[ $current == --*=* ]]; then\n"
      "    before=${current%%%%=*} current=${current#*=}\n"
      "    compset -P 1 '*='\n"
      "  fi\n"
      "  if [[ $before == --set && $current == *=* ]]; then\n"
      "    key=${current%%%%=*}\n"
      "    compset -P 1 '*='\n"
      "  elif [[ $before == --set ]]; then\n"
      "    ending=(-S '')\n"
      "  fi\n"
      "  local list=''\n");
  print_cases();
  printf(
      "  if [[ $list ]]; then\n"
      "    compadd $ending -- ${=list}\n"
      "  else\n"
      "    _files\n"
      "  fi\n"
      "}\n"
      "if [[ $funcstack[1] == _cuonn ]]; then _cuonn; else compdef _cuonn cuonn; fi\n");
}

/* ------------------------------------------------------------------------------------------------------------- fish */

/* KEY=WORD for every word that a key allows, each behind a space. */
static void print_assignments(const cuonn_config_key *key) {
  const char *list = words_of(key);
  while (list && *list) {
    const size_t length = strcspn(list, " |");
    printf(" %s=%.*s", key->path, (int)length, list);
    list += length;
    list += strspn(list, " |");
  }
}

/* A text in single quotes, up to its first sentence's end; fish reads \\ and \' in them. */
static void print_quoted(const char *text) {
  putchar('\'');
  for (const char *c = text; *c && *c != ';'; c++) {
    if (*c == '\'' || *c == '\\') putchar('\\');
    putchar(*c);
  }
  putchar('\'');
}

static void print_fish_option(const char *command, const struct argp_option *option) {
  cuonn_config_key key;
  printf("complete -c cuonn -n '__fish_seen_subcommand_from %s' -l %s", command, option->name);
  if (isalnum(option->key)) printf(" -s %c", option->key);
  printf(" -d ");
  print_quoted(option->doc);
  if (strcmp(option->name, "set") == 0) {
    printf(" -x -a '");
    print_keys();
    for (size_t i = 0; cuonn_config_key_at(&key, i); i++) print_assignments(&key);
    putchar('\'');
  } else if (has_words(option)) {
    printf(" -x -a '");
    print_words_of(option);
    putchar('\'');
  } else if (option->arg && !(option->flags & OPTION_ARG_OPTIONAL)) {
    printf(" -r");
  }
  putchar('\n');
}

/* fish completes "--set KEY=VALUE" as one word, and an option's value by itself. */
static void print_fish(void) {
  printf("# fish completion of cuonn %s; load it with: cuonn completion fish | source\n", cuonn_version());
  printf("complete -c cuonn -f -n __fish_use_subcommand -l help -l version\n");
  for (const cli_command *const *c = commands; *c; c++) {
    printf("complete -c cuonn -f -n __fish_use_subcommand -a %s -d ", (*c)->name);
    print_quoted((*c)->sentence);
    printf("\ncomplete -c cuonn -n '__fish_seen_subcommand_from %s' -l help -l usage -l version\n", (*c)->name);
    each_option(print_fish_option, (*c)->name, (*c)->argp);
  }
  printf("complete -c cuonn -n '__fish_seen_subcommand_from plot' -a '");
  print_figures();
  printf("'\ncomplete -c cuonn -f -n '__fish_seen_subcommand_from completion' -a '");
  print_shells();
  printf("'\n");
}

/* ----------------------------------------------------------------------------------------------------------- shells */

static const shell shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
enum { kShells = sizeof shells / sizeof *shells };

static const shell *find_shell(const char *name) {
  for (size_t i = 0; i < kShells; i++)
    if (strcmp(shells[i].name, name) == 0) return &shells[i];
  return NULL;
}

static void print_shells(void) {
  for (size_t i = 0; i < kShells; i++) printf("%s%s", i ? " " : "", shells[i].name);
}

static int run(int argc, char **argv) {
  const char *name = NULL;
  const int code = cli_parse(&name, NULL, &argp, argc, argv);
  if (code == CLI_DONE) find_shell(name)->print();
  return code;
}

const cli_command cli_completion = {"completion", "completion of commands and options for a shell", &argp, run};
