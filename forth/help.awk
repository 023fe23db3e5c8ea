# help.awk: what the sources say of each word, as rows of C: name, stack comment, text.
#
# In the prelude `: NAME ( effect )` and `\ NAME ( effect ): text`, in C `// NAME ( effect ): text` above
# the word's function; a text goes on over the following lines of the comment.
function quote(text) { gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); return "\"" text "\"" }
function flush_row() {
    if (name != "" && !(name in done)) {
        done[name]
        gsub(/[ ]+/, " ", text); sub(/^[:. ]+/, "", text); sub(/ $/, "", text)
        printf "{%s, %s, %s},\n", quote(name), quote(effect), quote(text)
    }
    name = text = ""
}
# A line that begins with a name and a stack comment.
function begin(line,    end) {
    name = line; sub(/ .*/, "", name)
    effect = line; sub(/^[^ ]+ /, "", effect)
    end = index(effect, " )")
    text = substr(effect, end + 2)
    effect = substr(effect, 1, end + 1)
}
FNR == 1 { flush_row() }
{
    line = $0
    comment = FILENAME ~ /\.fs$/ ? "^\\\\ " : "^// "
    if (line ~ comment) {
        sub(comment, "", line)
        if (line ~ /^[^a-z ]+ \( .*--.* \)/ || line ~ /^[^a-z ]+ \( .*-- \)/) { flush_row(); begin(line) }
        else if (name != "") text = text " " line
        next
    }
    flush_row()
    if (line ~ /^: [^ ]+ \( .*--.* \)/) { sub(/^: /, "", line); begin(line); text = ""; flush_row() }
}
END { flush_row() }
