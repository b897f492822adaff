# What every program of the stream answers to.
answer_common_flags() {
    case "${1:-}" in
    --version | version)
        echo "$NAME $VERSION"
        exit 0
        ;;
    --help | help)
        echo "usage: $NAME [--version] [--help] $USAGE"
        exit 0
        ;;
    esac
}
