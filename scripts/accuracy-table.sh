#!/usr/bin/env bash
# Test accuracies of the runs of scripts/quickstart.sh beside those of the source study.
#   scripts/accuracy-table.sh DIRECTORY     holds seed-*/metrics.csv and adam-seed-*/metrics.csv
# Ends with status 1 if the mean of the seeds at epoch 50 lies outside 0.846 to 0.854, or a run has fewer epochs.
set -euo pipefail

awk -F, '
  BEGIN {
    count = split("1 10 20 30 40 50", epochs, " ")
    printf "\n%-34s", "test accuracy after epoch"
    for (i = 1; i <= count; i++) printf "%7d", epochs[i]
    print ""
  }
  FNR == 1 { # a new run: where its columns stand
    for (i = 1; i <= NF; i++) column[$i] = i
    name = FILENAME
    sub(/\/metrics\.csv$/, "", name)
    sub(/.*\//, "", name)
    order[++runs] = name
    next
  }
  { accuracy[name, $column["epoch"] + 0] = $column["test_accuracy"]; seconds += $column["seconds"] }
  function row(title, values,   i) {
    printf "%-34s", title
    for (i = 1; i <= count; i++) printf "%7s", values[i]
    print ""
  }
  function means(title, pattern,   i, r, n, sum) {
    for (i = 1; i <= count; i++) {
      sum = n = 0
      for (r = 1; r <= runs; r++)
        if (order[r] ~ pattern && (order[r], epochs[i]) in accuracy) { sum += accuracy[order[r], epochs[i]]; n++ }
      values[i] = n ? sprintf("%.4f", sum / n) : "-"
    }
    row(title " (mean of " n ")", values)
    return n ? sum / n : 0
  }
  function each(title, pattern,   i, r) {
    for (r = 1; r <= runs; r++) {
      if (order[r] !~ pattern) continue
      for (i = 1; i <= count; i++)
        values[i] = (order[r], epochs[i]) in accuracy ? sprintf("%.4f", accuracy[order[r], epochs[i]]) : "-"
      if (values[count] == "-") unfinished = unfinished " " order[r]
      row("  " order[r], values)
    }
  }
  END {
    split("0.7620 0.8264 0.8375 0.8457 0.8503 0.8518", study, " ")
    mean = means("cuONN, study setting", "^seed-")
    each("", "^seed-")
    row("study, as printed", study)
    split("- - - - - 0.8497", study, " ")
    row("study, five other starts (mean)", study)
    means("cuONN, usual Adam", "^adam-seed-")
    each("", "^adam-seed-")
    split("- - - - - 0.8653", study, " ")
    row("study program, usual Adam", study)
    study[count] = "0.8616"
    row("", study)
    printf "\nThe five other starts of the study program gave 0.8475 to 0.8532.\n"
    printf "Training steps took %.0f s.\n", seconds
    if (unfinished != "") { printf "Not finished:%s.\n", unfinished; exit 1 }
    inside = mean >= 0.846 && mean <= 0.854
    printf "Mean accuracy at epoch 50: %.4f, %s 0.846 to 0.854, as it should.\n", mean, inside ? "inside" : "NOT inside"
    exit !inside
  }' "$1"/seed-*/metrics.csv "$1"/adam-seed-*/metrics.csv
