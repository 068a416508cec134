# A comment: names.h is there, lost.txt is not; a SHELL_VARIABLE is allowed.
echo "no lost.txt" # nor lost.md
