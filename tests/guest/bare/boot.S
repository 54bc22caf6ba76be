/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A boot sector that loads the 32-bit program behind it and jumps there. The program lives at
 * 2 MiB, out of the way of what a disk controller with a zeroed descriptor table would overwrite.
 */
        .code16
        .section .boot, "ax"
        .globl  _start
_start: ljmp    $0, $1f
1:      cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        mov     $0x42, %ah              /* extended read, from the drive we came from */
        mov     $packet, %si
        int     $0x13
        jc      fail
        cli
        lgdt    gdtr
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmp    $8, $2f
        .code32
2:      mov     $16, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x2f0000, %esp
        mov     $0x7e00, %esi
        mov     $__start_program, %edi
        mov     $(SECTORS * 512 / 4), %ecx
        rep movsl
        jmp     bare_main
        .code16
fail:   mov     $'!', %al
        out     %al, $0xe9
        hlt
        jmp     fail

        SECTORS = 48
        .balign 4
packet: .byte   16, 0
        .word   SECTORS, 0x7e00, 0
        .quad   1
gdt:    .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr:   .word   gdtr - gdt - 1
        .long   gdt

        .org    0x1b0                   /* what the test wants; written into the image */
        .globl  parameters
parameters:
        .long   1                       /* seed */
        .long   0                       /* 1: may reset the machine too; 2: no fuzzing, be steady */
        .org    0x1fe
        .word   0xaa55
        .section .note.GNU-stack, "", @progbits
