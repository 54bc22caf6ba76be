/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option ROM that starts a Linux kernel (Plug and Play BIOS Specification 1.0A, 3.2: a boot
 * entry vector; Linux' Documentation/x86/boot.rst). Firmware calls it like a boot sector, in real
 * mode. It has fw_cfg put the kernel's parts where kernel.c wants them, and enters the kernel's
 * set-up. kernel.c fills in the table at 0x40 and the two check sums.
 */
#define SETUP_SEG  0x1000
#define STACK      0xe000 /* where the heap that kernel.c tells the set-up of ends */
#define SCRATCH    0xfff0 /* of the same segment: the descriptor that fw_cfg is working on */
#define SCRATCH_BE 0xf0ff0100 /* its address 0x1fff0, the other way round */
#define FW_CFG_DMA 0x514
#define ERROR_BE   0x01000000

    .code16
    .text
start:
    .word 0xaa55
    .byte 1             /* of 512 bytes */
    lret                /* initialization: nothing */
    .org 0x1a
    .word pnp - start
    .org 0x20
pnp:
    .ascii "$PnP"
    .byte 1, 2          /* structure revision, length in 16 bytes */
    .word 0             /* no further header */
    .byte 0, 0          /* check sum at +9 */
    .long 0             /* device identifier */
    .word 0, product - start
    .byte 0, 0, 0       /* type: not said */
    .byte 0x04          /* may be booted from */
    .word 0, 0, boot - start, 0, 0
    .org 0x40
table:                  /* descriptors of fw_cfg's DMA, big endian; a zero: none */
    .fill 4 * 16, 1, 0
    .org 0x80
product:
    .asciz "Linux kernel (-kernel)"
failed:
    .asciz "The kernel cannot be read.\r\n"

boot:
    cld
    movw $SETUP_SEG, %ax
    movw %ax, %es
    movw $table - start, %si
next:
    cmpl $0, %cs:(%si)
    je skip
    movw $SCRATCH, %di
    movw $8, %cx
    rep movsw %cs:(%si), %es:(%di)
    movw $FW_CFG_DMA, %dx
    xorl %eax, %eax
    outl %eax, %dx
    addw $4, %dx
    movl $SCRATCH_BE, %eax
    outl %eax, %dx      /* it starts */
wait:
    pause
    movl %es:SCRATCH, %eax
    testl %eax, %eax
    jz more
    testl $ERROR_BE, %eax
    jz wait
    movw $failed - start, %si
print:
    movb %cs:(%si), %al
    incw %si
    testb %al, %al
    jz give_up
    movb $0x0e, %ah
    xorw %bx, %bx
    int $0x10
    jmp print
give_up:
    lret                /* firmware goes on with the next thing to boot from */
skip:
    addw $16, %si
more:
    cmpw $table - start + 4 * 16, %si
    jb next

    cli
    movw $SETUP_SEG, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movw $STACK, %sp
    ljmp $SETUP_SEG + 0x20, $0
    .org 0x200
