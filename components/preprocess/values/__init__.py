"""What the values of the columns that count mean, whatever the format of the files: ids, numbers, times."""
