interface Output {
  on(event: 'error', listener: (error: Error & { readonly code?: string }) => void): unknown
}

/**
 * Calls `act` when the program that reads a stream has ended: `head`, for example, ends after ten
 * lines. Without a listener, Node would then print a stack. Later output is lost. The command goes
 * on, because it may have more to do than to print.
 */
export function onUnread(stream: Output, act: () => void): void {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error
    act()
  })
}
