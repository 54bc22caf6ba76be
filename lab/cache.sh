# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Makes, once, what the lab boots: the hypervisor, a dom0 kernel and a dom0 that is an initramfs.
# Everything comes from Debian packages which are downloaded and unpacked, never installed, so
# that no root is needed and the machine stays clean. Source it, then use
#     lab_root     prints the folder the packages were unpacked in
#     lab_dom0     prints the folder with xen.elf, vmlinux, dom0.cpio and qemu-xen.cpio
# Each lives in a folder named by a hash of the lines that make it: change them and it is rebuilt.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_CACHE=${PORTICO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portico}

# The names to ask apt for; what they depend on comes along.
LAB_PACKAGES=(xen-hypervisor-4.17-amd64 xen-utils-4.17 xenstore-utils linux-image-amd64
    seabios ipxe-qemu busybox-static bash iproute2 strace socat
    qemu-system-xen)
# Dependencies of somebody's maintainer scripts, or of programs the dom0 does without.
LAB_PACKAGES_SKIP='^(lib)?(python3|perl|dpkg|debconf|udev|adduser|passwd|iso-codes|initramfs-tools|kmod|linux-base|klibc|ucf|tar|db5|sysvinit|media-types|readline-common|pam)'

LAB_PROGRAMS=(/bin/bash /sbin/ip /sbin/bridge /usr/bin/strace /usr/bin/socat
    /usr/bin/xenstore-{ls,read,write,rm,list,exists,watch,chmod}
    /usr/lib/xen-4.17/bin/{xl,xenstored,xen-init-dom0,xenconsoled,xenconsole,libxl-save-helper}
    /usr/lib/xen-4.17/bin/{xen-hvmctx,xen-hvmcrash,lsevtchn,xentop})
LAB_FILES=(/etc/xen/scripts /usr/lib/xen-4.17/boot/hvmloader /usr/share/seabios /usr/lib/ipxe/qemu
    /usr/share/qemu/keymaps)
LAB_MODULES=(virtio_pci virtio_net 9pnet_virtio 9p xenfs xen-evtchn xen-gntdev xen-gntalloc
    xen-privcmd xen-netback xen-blkback loop tun bridge 8021q kvm-amd)

lab_say() { echo "lab: $*" >&2; }

lab_hash() { cat "$@" | sha256sum | cut -c1-12; }

# lab_once NAME KEY FUNCTION: prints the folder NAME-KEY, made by FUNCTION if it is not there.
# Two labs may start at once; a folder appears only when it is complete.
lab_once() {
    local dir=$LAB_CACHE/$1-$2 new=$LAB_CACHE/$1-$2.new
    if [ ! -d "$dir" ]; then
        mkdir -p "$LAB_CACHE"
        (
            set -e
            flock 9
            [ ! -d "$dir" ] || exit 0
            rm -rf "$new"
            mkdir -p "$new"
            "$3" "$new" >&2
            mv "$new" "$dir"
            find "$LAB_CACHE" -maxdepth 1 -name "$1-*" ! -name "$1-$2" -mtime +7 -exec rm -rf {} +
        ) 9>"$LAB_CACHE/$1.lock" || return 1
    fi
    echo "$dir"
}

# --- packages ---------------------------------------------------------------------------------

# Package lists of our own, when the system has none (a container) or old ones: no root needed.
lab_apt_private() {
    local d=$LAB_CACHE/apt
    mkdir -p "$d/lists/partial" "$d/archives/partial"
    LAB_APT=(-o "Dir::State::lists=$d/lists" -o "Dir::Cache=$d")
    apt-get -qq "${LAB_APT[@]}" -o APT::Sandbox::User=root -o Debug::NoLocking=1 update
}

# apt resolves against an empty status file, so that libraries which happen to be installed here
# are in the list too: the dom0 is made of one release, not of this machine.
lab_apt_resolve() {
    local root=$1
    : > "$root/no-packages"
    apt-get -qq "${LAB_APT[@]}" -s --no-install-recommends -o Debug::NoLocking=1 \
        -o "Dir::State::status=$root/no-packages" install "${LAB_PACKAGES[@]}" |
        awk '/^Inst/ { sub(/\(/, "", $3); print $2 "=" $3 }' |
        grep -Ev "$LAB_PACKAGES_SKIP" > "$root/packages"
    [ "${PIPESTATUS[0]}" = 0 ]
}

lab_apt_download() {
    lab_apt_resolve "$1" || return 1
    # shellcheck disable=SC2046
    (cd "$1/debs" && apt-get -qq "${LAB_APT[@]}" -o APT::Sandbox::User=root \
        download $(cat ../packages))
}

lab_make_root() {
    local root=$1 deb kver
    lab_say "fetching Debian packages (once)"
    mkdir -p "$root/debs"
    LAB_APT=()
    lab_apt_download "$root" 2>/dev/null ||
        { lab_apt_private && lab_apt_download "$root"; } ||
        { lab_say "cannot fetch the packages: ${LAB_PACKAGES[*]}"; return 1; }
    lab_say "unpacking $(wc -l < "$root/packages") packages"
    for deb in "$root"/debs/*.deb; do
        dpkg -x "$deb" "$root"
    done
    rm -rf "$root/debs" "$root"/usr/share/{doc,man,locale,info,lintian}
    kver=$(ls "$root/lib/modules")
    (cd "$root/lib/modules/$kver/kernel" &&
        rm -rf drivers/{gpu,media,infiniband,iio,staging,hwmon,mtd,net/wireless} sound/soc)
    "$root/bin/busybox" depmod -b "$root" "$kver"
    echo "$kver" > "$root/kernel-version"
}

lab_root() {
    local key
    key=$(declare -f lab_make_root lab_apt_resolve lab_apt_download |
        cat - <(echo "${LAB_PACKAGES[*]} $LAB_PACKAGES_SKIP") | sha256sum | cut -c1-12)
    lab_once debian "$key" lab_make_root
}

# --- pieces of a root -------------------------------------------------------------------------

# lab_modules ROOT NAME...: the modules and what they need, in an order that can be loaded.
lab_modules() {
    local root=$1 kver
    shift
    kver=$(cat "$root/kernel-version")
    printf '%s\n' "$@" | awk -v deps="$root/lib/modules/$kver/modules.dep" '
        function base(p) { sub(/.*\//, "", p); sub(/\.ko$/, "", p); gsub(/-/, "_", p); return p }
        function visit(p,    n, i, d) {
            if (p in seen) return
            seen[p] = 1
            n = split(need[p], d, " ")
            for (i = n; i > 0; i--) visit(d[i])
            print p
        }
        BEGIN {
            while ((getline line < deps) > 0) {
                i = index(line, ":"); p = substr(line, 1, i - 1)
                need[p] = substr(line, i + 1); path[base(p)] = p
            }
        }
        { n = $0; gsub(/-/, "_", n); if (n in path) visit(path[n]) }'   # absent: built in
}

# lab_libs ROOT FILE...: the libraries of ROOT which the programs need, found by its own loader.
lab_libs() {
    local root=$1 lib
    shift
    lib=$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu
    lib=$lib:$root/usr/lib/x86_64-linux-gnu/pulseaudio
    for f in "$@"; do
        "$root/lib64/ld-linux-x86-64.so.2" --library-path "$lib" --list "$f" 2>/dev/null
    done | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u
}

lab_cpio() { (cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet); }

# vmlinux out of Debian's vmlinuz: Xen would unpack the xz itself, seconds of emulated work.
lab_vmlinux() {
    local img=$1 sects off len
    sects=$(od -An -tu1 -j 497 -N 1 "$img")
    off=$(od -An -tu4 -j $((0x248)) -N 4 "$img")
    len=$(od -An -tu4 -j $((0x24c)) -N 4 "$img")
    tail -c +$(((sects + 1) * 512 + off + 1)) "$img" | head -c $((len - 4)) | xz -dc
}

# --- dom0 -------------------------------------------------------------------------------------

lab_copy_programs() {
    local root=$1 out=$2 f
    mkdir -p "$out"/usr/{bin,sbin,lib/x86_64-linux-gnu,lib64}
    for f in bin sbin lib lib64; do ln -s "usr/$f" "$out/$f"; done
    cp -L "$root/lib64/ld-linux-x86-64.so.2" "$out/usr/lib64/"
    for f in "${LAB_PROGRAMS[@]}"; do
        install -D "$root$f" "$out$f"
    done
    for f in "${LAB_FILES[@]}"; do
        mkdir -p "$out$(dirname "$f")"
        cp -a "$root$f" "$out$f"
    done
    rm -f "$out"/usr/lib/ipxe/qemu/efi-*
    lab_libs "$root" "${LAB_PROGRAMS[@]/#/$root}" |
        xargs -I{} cp -L {} "$out/usr/lib/x86_64-linux-gnu/"
    # pthread_cancel loads this by name, so that no program says it needs it.
    cp -L "$root/lib/x86_64-linux-gnu/libgcc_s.so.1" "$out/usr/lib/x86_64-linux-gnu/"
}

# Of Debian's thousands of modules, the few that are named and what they need.
lab_copy_modules() {
    local root=$1 out=$2 kver
    shift 2
    kver=$(cat "$root/kernel-version")
    mkdir -p "$out/lib/modules/$kver"
    lab_modules "$root" "$@" | while read -r m; do
        install -D -m 644 "$root/lib/modules/$kver/$m" "$out/lib/modules/$kver/$m"
    done
    "$root/bin/busybox" depmod -b "$out" "$kver"
}

lab_make_dom0() {
    local out=$1 root tree=$1/tree kver f
    root=$(lab_root)
    kver=$(cat "$root/kernel-version")
    lab_say "making dom0"
    zcat "$root/boot/xen-4.17-amd64.gz" > "$out/xen.elf"
    lab_vmlinux "$root/boot/vmlinuz-$kver" > "$out/vmlinux"
    cp "$root/boot/vmlinuz-$kver" "$out/vmlinuz"
    lab_copy_programs "$root" "$tree"
    lab_copy_modules "$root" "$tree" "${LAB_MODULES[@]}"
    cp "$root/bin/busybox" "$tree/bin/"
    for f in $("$root/bin/busybox" --list); do
        [ -e "$tree/bin/$f" ] || [ -e "$tree/sbin/$f" ] || ln -s /bin/busybox "$tree/bin/$f"
    done
    for f in "$tree"/usr/lib/xen-4.17/bin/*; do
        ln -s "${f#"$tree"}" "$tree/usr/sbin/${f##*/}"
    done
    mkdir -p "$tree"/{proc,sys,dev,tmp,run,host,root,etc,opt} "$tree"/var/{lib/xen,log/xen,lock}
    ln -s /run "$tree/var/run"
    echo 'root:x:0:0:root:/root:/bin/bash' > "$tree/etc/passwd"
    echo 'root:x:0:' > "$tree/etc/group"
    : > "$tree/etc/xen/xl.conf"
    install "$LAB_DIR/dom0/init" "$tree/init"
    lab_cpio "$tree" > "$out/dom0.cpio"
    rm -rf "$tree"
    lab_make_qemu_xen "$root" "$out"
}

# The peer to compare with, in an archive of its own: only who asks for it pays for it.
lab_make_qemu_xen() {
    local root=$1 out=$2 tree=$2/tree bin=/usr/libexec/xen-qemu-system-i386
    mkdir -p "$tree/usr/libexec" "$tree/usr/lib/x86_64-linux-gnu"
    cp "$root$bin" "$tree/usr/libexec/"
    mkdir -p "$tree/usr/share" && cp -a "$root/usr/share/qemu" "$tree/usr/share/"
    rm -f "$tree"/usr/share/qemu/{edk2*,*.fd,*.bz2,skiboot*,u-boot*,opensbi*,openbios*,slof*}
    lab_libs "$root" "$root$bin" | xargs -I{} cp -L {} "$tree/usr/lib/x86_64-linux-gnu/"
    lab_cpio "$tree" > "$out/qemu-xen.cpio"
    rm -rf "$tree"
}

lab_dom0() {
    local key
    key=$(lab_hash "$LAB_DIR/cache.sh" "$LAB_DIR/dom0/init")
    lab_once dom0 "$key" lab_make_dom0
}
