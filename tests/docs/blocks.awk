# Takes the fenced blocks of a document apart: each goes to `folder`/LINE, after as many empty lines as make its own lines
# keep their numbers, and its "LINE WORDS" to stdout, as they stand behind its fence.
#   -v folder=DIR DOCUMENT
/^ *```/ {
    if (!is_inside) {
        is_inside = 1
        sub(/^ *```/, "")
        file = folder "/" FNR
        for (i = 0; i < FNR; i++)
            print "" > file
        print FNR, $0 == "" ? "(nothing)" : $0
    } else {
        is_inside = 0
        close(file)
    }
    next
}
is_inside { print > file }
# Nothing is to escape the checks by being indented instead of fenced.
!is_inside && /^(    |\t)/ && is_after_blank { print FNR, "indented" }
{ is_after_blank = /^ *$/ }
END { if (is_inside) print FNR, "unfinished" }
