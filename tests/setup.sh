# What samples/demo.sh and tests/run.sh share: find the source tree, install what a build needs,
# configure and build outside the sources. Sourced, not run; POSIX sh.
#
# The caller sets `root` (the source tree) before sourcing. Everything here says what it does on
# stderr, reads no input, and ends the script with a sentence when it cannot go on.

say() {
	printf '%s\n' "== $*" >&2
}

give_up() {
	printf '%s\n' "${0##*/}: $*" >&2
	exit 2
}

# What must be there, how to see that it is there, and the Debian package that brings it.
# "command NAME": in PATH. "library NAME": known to pkg-config. "header NAME": the compiler finds it.
# shellcheck disable=SC2034,SC2154
build_needs='
command cc          gcc
header  stdlib.h    libc6-dev
command cmake       cmake
command ninja       ninja-build
command pkg-config  pkg-config
library libzstd     libzstd-dev
library libxxhash   libxxhash-dev
library libunwind   libunwind-dev
library libelf      libelf-dev
library libdw       libdw-dev
library ncursesw    libncurses-dev
library jansson     libjansson-dev
library libcurl     libcurl4-openssl-dev
'

have() {
	case $1 in
	command) command -v "$2" >/dev/null 2>&1 ;;
	library) pkg-config --exists "$2" 2>/dev/null ;;
	header) echo "#include <$2>" | cc -E - >/dev/null 2>&1 ;;
	*) give_up "unknown kind of need: $1" ;;
	esac
}

# missing_packages TABLE: the packages of all rows that are not there, in one line.
missing_packages() {
	echo "$1" | while read -r kind name package; do
		if [ -n "$kind" ] && ! have "$kind" "$name"; then
			echo "$package"
		fi
	done | sort -u | tr '\n' ' '
}

# Sets `as_root` to what must stand before a command that needs root; fails if nothing helps.
# sudo may ask for a password only where somebody can type it.
find_root() {
	if [ "$(id -u)" -eq 0 ]; then
		as_root=
	elif ! command -v sudo >/dev/null 2>&1; then
		return 1
	elif sudo -n true 2>/dev/null; then
		as_root='sudo -n'
	elif [ -t 0 ] && [ -t 2 ]; then
		as_root=sudo
	else
		return 1
	fi
}

# apt_install PACKAGE...: quiet when it works, its whole output when it does not.
apt_install() {
	apt_log=$(mktemp)
	if { $as_root apt-get update &&
		$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y \
			--no-install-recommends "$@"; } </dev/null >"$apt_log" 2>&1; then
		rm -f "$apt_log"
		return 0
	fi
	cat "$apt_log" >&2
	rm -f "$apt_log"
	return 1
}

# install_needs TABLE: afterwards everything in the table is there, or the script has ended.
install_needs() {
	packages=$(missing_packages "$1")
	[ -n "$packages" ] || return 0
	command -v apt-get >/dev/null 2>&1 ||
		give_up "these Debian packages, or what your system calls them, are missing: $packages"
	find_root ||
		give_up "these packages are missing, and installing them needs root or sudo. Please run as root:
    apt-get install $packages"
	say "installing with apt-get: $packages"
	# The list is split into words on purpose.
	# shellcheck disable=SC2086
	apt_install $packages || give_up "apt-get failed, see above; missing were: $packages"
	packages=$(missing_packages "$1")
	[ -z "$packages" ] || give_up "installed, but still not found: $packages"
}

# offer_needs TABLE: the same for what is welcome but not necessary; never ends the script.
offer_needs() {
	packages=$(missing_packages "$1")
	[ -n "$packages" ] || return 0
	if command -v apt-get >/dev/null 2>&1 && find_root; then
		say "installing with apt-get: $packages"
		# shellcheck disable=SC2086
		apt_install $packages && return 0
	fi
	say "going on without: $packages"
}

# Sets `build_root`: build/ in the source tree, or a folder in the user's cache when the tree, or a
# build/ that somebody else left there, cannot be written.
choose_build_root() {
	build_root=$root/build
	if [ -d "$build_root" ]; then
		[ -w "$build_root" ] && return 0
	elif [ -w "$root" ]; then
		mkdir "$build_root" && return 0
	fi
	cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}
	build_root=$cache/loiter-build
	mkdir -p "$build_root" 2>/dev/null ||
		give_up "neither $root/build nor $build_root can be written: set XDG_CACHE_HOME to a folder of yours"
}

# configure FOLDER CMAKE-ARGUMENT...: safe to repeat. A build folder that was made by another
# generator, or for a tree that has moved since, is set up afresh.
configure() {
	folder=$1
	shift
	fresh=
	if [ -f "$folder/CMakeCache.txt" ]; then
		if ! grep -q '^CMAKE_GENERATOR:INTERNAL=Ninja$' "$folder/CMakeCache.txt" ||
			! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"; then
			fresh=--fresh
		fi
	fi
	# shellcheck disable=SC2086
	cmake $fresh -G Ninja -S "$root" -B "$folder" "$@" >"$folder.log" 2>&1 </dev/null || {
		cat "$folder.log" >&2
		give_up "CMake could not configure $folder, see above"
	}
	# A part that is left out for want of a library is said, not hidden.
	grep '^-- loiter:' "$folder.log" >&2 || true
}

# build FOLDER [TARGET...]: prints the compiler's output only if something is wrong.
build() {
	folder=$1
	shift
	cmake --build "$folder" ${1:+--target "$@"} >"$folder.log" 2>&1 </dev/null || {
		cat "$folder.log" >&2
		give_up "building in $folder failed, see above"
	}
}
