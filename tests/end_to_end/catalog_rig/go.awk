# What Go checks of a vendored program: what=modules reads go.mod and vendor/modules.txt, what=names
# the files of a package and, behind them, those of every package that it imports.

what == "modules" && FNR == 1 { file++ }
what == "modules" && file == 1 && $1 ~ /^github\.com/ && $2 ~ /^v/ { wanted[$1] = $2 }
what == "modules" && file == 1 && $1 == "require" && $2 ~ /^github/ { wanted[$2] = $3 }
what == "modules" && file == 2 && $1 == "#" && $3 ~ /^v/ { listed[$2] = $3 }

what == "names" && FNR == 1 {
    delete imported
    if (FILENAME ~ /^vendor/) { package = FILENAME; sub(/^vendor\//, "", package); sub(/\/[^\/]*$/, "", package) }
}
what == "names" && match($0, /^(import)?[ \t]*[a-z0-9]+ "github\.com[^"]*"/) {
    text = substr($0, RSTART, RLENGTH)
    sub(/^import/, "", text)
    split(text, parts, "\"")
    gsub(/[ \t]/, "", parts[1])
    need(parts[1], parts[2])
    next
}
what == "names" && !/^[ \t]*\/\// {
    rest = $0
    column = 0
    while (match(rest, /[a-z0-9]+\.[A-Z][A-Za-z0-9]*/)) {
        used = substr(rest, RSTART, RLENGTH)
        split(used, parts, ".")
        if (parts[1] in imported && !((imported[parts[1]], parts[2]) in declared))
            complain(column + RSTART + length(parts[1]) + 1, "undefined: " used)
        column += RSTART + RLENGTH - 1
        rest = substr(rest, RSTART + RLENGTH)
    }
}

END {
    if (what == "modules") {
        for (path in wanted)
            if (listed[path] != wanted[path]) {
                if (!failed++) print "go: inconsistent vendoring in " ENVIRON["PWD"] ":"
                print "\t" path "@" wanted[path] ": is explicitly required in go.mod, but not marked as explicit in vendor/modules.txt"
            }
    }
    exit failed ? 1 : 0
}

function need(alias, path,   folder, command, name, line, words) {
    imported[alias] = path
    if (path in seen) return
    seen[path] = 1
    folder = "vendor/" path
    command = "ls " folder "/*.go 2>/dev/null"
    while ((command | getline name) > 0) {
        found[path] = 1
        ARGV[ARGC++] = name
        while ((getline line < name) > 0)
            if (match(line, /^(func|type|const|var) [A-Za-z0-9]+/)) {
                split(substr(line, RSTART, RLENGTH), words, " ")
                declared[path, words[2]] = 1
            }
        close(name)
    }
    close(command)
    if (!(path in found)) complain(index($0, "\""), "cannot find package \"" path "\" in vendor")
}

function complain(column, message) {
    if (!(package in told)) print "# " package
    told[package] = 1
    print FILENAME ":" FNR ":" column ": " message
    failed++
}
